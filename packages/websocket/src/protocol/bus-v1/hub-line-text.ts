/** The short lines that a hub sends, as text. */
import type { GapReason, RefusalCode, SubscriptionRefusal } from './codes.ts'

/** Every event up to `n` is accepted. */
export const okLine = (n: number): string => `ok ${n}`

/** Event `n` is refused. */
export const noLine = (n: number, code: RefusalCode): string => `no ${n} ${code}`

/** The subscription is live behind this offset. */
export const subokLine = (id: number, offset: number): string => `subok ${id} ${offset}`

/** There is no such subscription. */
export const subnoLine = (id: number, code: SubscriptionRefusal): string => `subno ${id} ${code}`

/** Events are missing. */
export const gapLine = (from: number, to: number, why: GapReason): string =>
  `gap ${from} ${to} ${why}`

/** Everything that was wanted up to this offset has been sent. */
export const markLine = (offset: number): string => `mark ${offset}`
