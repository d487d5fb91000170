/** Group C: order and concurrency. */
import type { CaseGroup } from '../../case.ts'
import { orderAcrossReconnects } from './across-reconnect.ts'
import { churn } from './churn.ts'
import { concurrency, orderPerKey } from './concurrency.ts'
import { exactSet, orderPerPublisher, totalOrder } from './order.ts'

export const ORDERING: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'C',
  title: 'Order and concurrency',
  cases: [
    orderPerPublisher,
    totalOrder,
    orderPerKey,
    concurrency,
    exactSet,
    churn,
    orderAcrossReconnects,
  ],
  reserved: [],
})
