/** Orders: small events, 290 bytes each in plain JSON, every payload a new object. */
import type { Workload } from './workload.ts'

/** Text that stands once in each order and nowhere else: what a subscriber that only counts looks for. */
export const ORDER_MARK = 'Your order has shipped!'

interface Order {
  readonly order_id: number
}

/** The workload of small events. */
export const orders: Workload = Object.freeze({
  name: 'orders',
  subject: 'order.created',
  pattern: 'order.created',
  meanBytes: 290,
  message: (sequence: number) => ({
    type: 'order.created',
    payload: {
      order_id: 1_000_000 + sequence,
      message: ORDER_MARK,
      channel: 'email',
      items: [{ sku: 'A-1', qty: 2 }],
    },
    sequence,
  }),
  read: (payload: unknown) => (payload as Order).order_id,
} satisfies Workload)
