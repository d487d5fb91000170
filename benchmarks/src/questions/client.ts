/** The client's side of each question, by its name. */
import type { WorkloadName } from '../workload/workload.ts'

/** What a client needs to know to get ready. */
export interface OpenOrder {
  readonly question: string
  /** Empty where the question has none. */
  readonly contender: string
  readonly url: string
  readonly workload: WorkloadName
  /** How many events, deliveries, connections or patterns to measure. */
  readonly count: number
}

/** The steps of a client; what each returns goes to the parent. */
export type QuestionClient = Readonly<Record<string, () => unknown>>

/** Opens the client of a question, and loads no other. */
export async function openClient(order: OpenOrder): Promise<QuestionClient> {
  switch (order.question) {
    case 'throughput':
      return await (await import('./throughput.ts')).openThroughput(order)
    case 'json-floor':
      return (await import('./json-floor.ts')).openJsonFloor(order)
    case 'fan-out':
      return await (await import('./fan-out.ts')).openFanOut(order)
    case 'latency':
      return await (await import('./latency.ts')).openLatency(order)
    case 'idle-memory':
      return await (await import('./idle-memory.ts')).openIdleMemory(order)
    case 'match-cost':
      return (await import('./match-cost.ts')).openMatchCost(order)
    case 'log-growth':
      return await (await import('./log-growth.ts')).openLogGrowth(order)
    default:
      throw new RangeError(`There is no question ${order.question}`)
  }
}
