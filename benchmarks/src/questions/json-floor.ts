/** How fast can one thread create, stringify and parse the same events? What carries JSON cannot be faster. */
import { Arrivals } from '../workload/arrivals.ts'
import { loadWorkload } from '../workload/load-workload.ts'
import { receiveJson, toJson } from '../workload/wire-event.ts'
import type { WorkloadName } from '../workload/workload.ts'
import type { Sample } from '../report/finding.ts'
import type { OpenOrder, QuestionClient } from './order.ts'

/** The floor's name among the contenders. */
export const FLOOR = 'json-floor'

/** What the client has to do. */
export function floorOrder(workload: WorkloadName, count: number): OpenOrder {
  return { question: 'json-floor', contender: '', url: '', workload, count }
}

/** Create, stringify, parse and read, without any wire. */
export function openJsonFloor({ workload: name, count }: OpenOrder): QuestionClient {
  const workload = loadWorkload(name)
  const pass = (events: number): number => {
    const arrivals = new Arrivals(workload)
    const start = performance.now()
    for (let sequence = 1; sequence <= events; sequence++) {
      receiveJson(toJson(workload.message(sequence)), arrivals.take)
    }
    const seconds = (performance.now() - start) / 1_000
    arrivals.assertComplete(events)
    return seconds
  }
  return {
    measure: (): Sample => {
      pass(Math.ceil(count / 4))
      globalThis.gc?.()
      const seconds = pass(count)
      return { perSecond: count / seconds, cpu: (seconds * 1e6) / count }
    },
  }
}
