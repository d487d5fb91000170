/** How each question is asked. */
import type { Finding } from '../report/finding.ts'
import type { Plan } from '../run/plan.ts'
import { askFanOut } from './fan-out.ts'
import { askIdleMemory } from './idle-memory.ts'
import { askLatency } from './latency.ts'
import { askLogGrowth } from './log-growth.ts'
import { askMatchCost } from './match-cost.ts'
import type { QuestionName } from './names.ts'
import { askThroughput } from './throughput.ts'

/** Asks a question and resolves with what was found. */
export const ASK: Readonly<Record<QuestionName, (plan: Plan) => Promise<Finding[]>>> =
  Object.freeze({
    throughput: askThroughput,
    'fan-out': askFanOut,
    latency: askLatency,
    'idle-memory': askIdleMemory,
    'match-cost': askMatchCost,
    'log-growth': askLogGrowth,
  })
