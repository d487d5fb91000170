/** Finds a workload by its name. */
import { githubDeliveries } from './github.ts'
import { orders } from './orders.ts'
import type { Workload, WorkloadName } from './workload.ts'

/** The workload of that name. GitHub's deliveries are read from disk. */
export function loadWorkload(name: WorkloadName): Workload {
  return name === 'orders' ? orders : githubDeliveries()
}
