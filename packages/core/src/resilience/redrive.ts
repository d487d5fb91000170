/** Publishes dead letters again. */
import { checkOptions, func, instance } from '../config/options.ts'
import { AbortedError, HandlerError } from '../contract/errors.ts'
import type { DeadLetter, RedriveOptions, RedriveReport, RedriveTarget } from './dead-letter.ts'
import type { Lease } from './dead-letter-store.ts'

/** What a redrive needs of the queue. */
export interface RedriveSource {
  list(): readonly DeadLetter[]
  leaseOf(id: string): Lease | undefined
  onFailed(letter: DeadLetter, error: unknown): void
}

/**
 * Publishes the event of each letter that is there now, oldest first, each after the one before it has settled.
 *
 * @throws `AbortedError` when the signal aborts; what was published until then is removed.
 */
export async function redrive(
  source: RedriveSource,
  target: RedriveTarget,
  options: RedriveOptions = {},
): Promise<RedriveReport> {
  checkOptions<RedriveOptions>('', options, { filter: func, signal: instance(AbortSignal) })
  const { filter = () => true, signal } = options
  const report = { redriven: 0, failed: 0, skipped: 0 }
  for (const letter of source.list()) {
    if (signal?.aborted === true) throw new AbortedError('The redrive', { cause: signal.reason })
    const { event } = letter
    const lease = event !== undefined && filter(letter) ? source.leaseOf(letter.id) : undefined
    if (event === undefined || lease === undefined) {
      report.skipped++
      continue
    }
    try {
      // One after the other keeps the order of the letters.
      await target.publish(event, signal === undefined ? {} : { signal })
      if (!lease.succeed()) throw new HandlerError('The event was given up again')
      report.redriven++
    } catch (error) {
      report.failed++
      source.onFailed(lease.fail(), error)
    } finally {
      lease.release()
    }
  }
  return report
}
