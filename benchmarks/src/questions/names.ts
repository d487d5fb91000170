/** The names of the questions, in the order in which they are asked. */

const NAMES = [
  'throughput',
  'fan-out',
  'latency',
  'idle-memory',
  'match-cost',
  'log-growth',
] as const

export type QuestionName = (typeof NAMES)[number]

export const QUESTION_NAMES: readonly QuestionName[] = NAMES
