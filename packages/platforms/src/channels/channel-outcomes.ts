/** The outcomes of several subscriptions that one caller waits for. */
import { abortable } from '@bus/core/kit'
import type { ChannelRecord } from './channel-record.ts'

/** Per record why it failed, `undefined` where it was confirmed; resolves when all are settled, or at the abort. */
export async function outcomesOf(
  records: readonly ChannelRecord[],
  signal: AbortSignal | undefined,
): Promise<readonly unknown[]> {
  const waits = records.map((record) => abortable(record.settled, signal, 'Subscribing'))
  const results = await Promise.allSettled(waits)
  return results.map((result) => (result.status === 'rejected' ? result.reason : undefined))
}

/** @throws the first failure, if there is one */
export function throwFirst(outcomes: readonly unknown[]): void {
  const first = outcomes.find((outcome) => outcome !== undefined)
  if (first !== undefined) throw first
}
