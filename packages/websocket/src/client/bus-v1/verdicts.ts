/** The verdicts: who waits for the hub's word on a subscription. */
import { RejectedError } from '@bus/core'
import type { WireSubscription } from '../../protocol/bus-v1/hello.ts'
import { waitWithin, type Waiting } from './waiting.ts'

interface Asked {
  readonly pattern: string
  readonly waiting: Waiting<void>
}

/** Of one link. A word on what nobody asked for means nothing. */
export class Verdicts {
  readonly #asked = new Map<number, Asked>()

  /**
   * Resolves when the hub has taken all of the subscriptions; rejects with the first {@link refusal}, or with the signal's
   * reason. One wait for all: a signal with many listeners looks like a leak to Node.
   */
  async wait(subs: readonly WireSubscription[], signal: AbortSignal): Promise<void> {
    if (subs.length === 0) return
    await waitWithin<void>(signal, (waiting) => {
      let left = subs.length
      const resolve = (): void => {
        if (--left === 0) waiting.resolve()
      }
      const each = { ...waiting, resolve }
      for (const { id, pattern } of subs) this.#asked.set(id, { pattern, waiting: each })
    })
  }

  taken(id: number): void {
    this.#asked.get(id)?.waiting.resolve()
    this.#asked.delete(id)
  }

  /** @returns the pattern that the hub does not give */
  refused(id: number, code: string): string | undefined {
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    asked?.waiting.reject(refusal(asked.pattern, id, code))
    return asked?.pattern
  }

  /** The link is over, and its signal has ended every wait. */
  clear(): void {
    this.#asked.clear()
  }
}

/** What whoever subscribed is told. */
export function refusal(pattern: string, id: number, code: string): RejectedError {
  return new RejectedError(`The hub refused the subscription ${id} to \`${pattern}\`: ${code}`)
}
