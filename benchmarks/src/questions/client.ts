/** The client's side of each question, by its name. */
import type { OpenOrder, QuestionClient } from './order.ts'

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
