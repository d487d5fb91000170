/** The report of a restoration: what is confirmed again, and what is not. */
import type { ChannelRecord } from './channel-record.ts'

/** What came of asking again for what had been confirmed before. */
export interface RestoreReport {
  /** Channels that are confirmed again. */
  readonly confirmed: readonly string[]
  /** Channels that have failed or expired; they are not asked for again. */
  readonly failed: readonly { readonly channel: string; readonly error: Error }[]
}

/** Leaves out what nobody wanted any more by the end. */
export function reportOf(again: readonly ChannelRecord[]): RestoreReport {
  const confirmed = again.filter(({ status }) => status === 'confirmed')
  const failed = again.flatMap(({ channel, status, error }) =>
    error === undefined || status === 'unsubscribed' ? [] : [{ channel, error }],
  )
  return { confirmed: confirmed.map(({ channel }) => channel), failed }
}
