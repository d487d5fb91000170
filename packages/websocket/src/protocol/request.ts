/** Requests and their answers on links: each ends with its answer, its time limit, its signal or its link. */
import { DisconnectedError, type Clock, type WaitOptions } from '@bus/core'
import { AbortWatch, withDeadline } from '@bus/core/kit'
import type { Frame, ProtocolLink } from './protocol.ts'

/** How long a request waits for its answer. */
export interface RequestOptions extends WaitOptions {
  /** Milliseconds after which the call rejects with `TimeoutError`, or `Infinity`. @default 10_000 */
  readonly timeoutMs?: number | undefined
}

/** How long a request waits where nobody says, in milliseconds. */
export const DEFAULT_REQUEST_MS = 10_000

/** What a request is besides its frame. */
export interface RequestTerms extends RequestOptions {
  /** Names it in messages: "The request public/auth". */
  readonly what: string
}

/** Many may be under way at once, also with one signal for all of them. */
export class Requests {
  readonly #clock: Clock
  readonly #signals: AbortWatch<AbortController> = new AbortWatch((wait, signal) =>
    wait.abort(signal.reason),
  )

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Sends the frame and resolves with the first answer for which `match` gives something. Nothing is sent again.
   *
   * @throws `TimeoutError`, `AbortedError`, `DisconnectedError`, or what `match` throws
   */
  async run<T>(
    link: ProtocolLink,
    frame: Frame,
    match: (frame: Frame) => T | undefined,
    terms: RequestTerms,
  ): Promise<T> {
    const { timeoutMs = DEFAULT_REQUEST_MS, signal, what } = terms
    const own = new AbortController()
    if (signal?.aborted === true) own.abort(signal.reason)
    else if (signal !== undefined) this.#signals.add(signal, own)
    try {
      return await withDeadline(
        async () => {
          // Both at once: a link that breaks ends the wait, although the frame's fate may never be told.
          const [answer] = await Promise.all([link.waitFor(match, own.signal), link.send(frame)])
          return answer
        },
        { timeoutMs, signal: own.signal, clock: this.#clock, what },
      )
    } catch (error) {
      if (!(error instanceof DisconnectedError)) throw error
      const message = `${what} lost its link before it was answered`
      throw new DisconnectedError(message, { cause: error, outcome: 'unknown' })
    } finally {
      if (signal !== undefined) this.#signals.delete(signal, own)
      // However it ended, nothing is claimed any more.
      own.abort()
    }
  }
}
