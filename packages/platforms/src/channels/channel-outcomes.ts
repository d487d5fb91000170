/** The outcomes of several subscriptions that one caller waits for. */
import { abortable } from '@bus/core/kit'
import type { ChannelRecord } from './channel-record.ts'

/** Per record why it failed, `undefined` where it was confirmed; resolves when all are settled, or at the abort. */
export async function outcomesOf(
  records: readonly ChannelRecord[],
  signal: AbortSignal | undefined,
): Promise<readonly unknown[]> {
  const outcomes: unknown[] = []
  const all = records.map(async ({ settled }, i) => {
    await settled.catch((error: unknown) => (outcomes[i] = error))
  })
  try {
    // One listener on the signal, however many there are.
    await abortable(Promise.all(all), signal, 'Subscribing')
  } catch (aborted) {
    return records.map(
      ({ status }, i) => outcomes[i] ?? (status === 'confirmed' ? undefined : aborted),
    )
  }
  return records.map((_, i) => outcomes[i])
}

/** @throws the first failure, if there is one */
export function throwFirst(outcomes: readonly unknown[]): void {
  const first = outcomes.find((outcome) => outcome !== undefined)
  if (first !== undefined) throw first
}
