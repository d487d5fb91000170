/** One event on its way out, with the promise of its publisher. */
import type { Clock, Event, Outcome, PublishReceipt, RateTicket, Timer } from '@bus/core'
import type { Frame } from '../../protocol/protocol.ts'

/** Settles once, whatever happens first: sent, given up, aborted, timed out. */
export class OutboxEntry {
  readonly event: Event
  frame: Frame
  readonly bytes: number
  /** How often it was handed to a socket. */
  attempts = 0
  /** It leaves when the other side has confirmed it, not when the operating system has it. */
  isConfirmed = false
  /** Its publisher takes nothing less than a confirmation. */
  mustBeConfirmed = false
  /** Its number within the session; 0 before it is first sent. */
  number = 0
  /** Sent before in a session that the other side lost: it may have arrived. */
  isResent = false
  /** Nothing more will be done for it; it only waits for its turn to leave. */
  isDone = false
  /** Its permission to be sent, where a rate limit asks for one. */
  ticket: RateTicket | undefined
  /** The signal of its publisher. */
  signal: AbortSignal | undefined
  /** Ends the wait of a blocked publisher for room. */
  leaveLine: AbortController | undefined
  #resolve: ((receipt: PublishReceipt) => void) | undefined
  #reject: ((error: Error) => void) | undefined
  #timer: Timer | undefined
  #clock: Clock | undefined

  constructor(event: Event, frame: Frame) {
    this.event = event
    this.frame = frame
    this.bytes = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.byteLength
  }

  /** Whether somebody holds a promise that is not settled yet. */
  get isAwaited(): boolean {
    return this.#reject !== undefined
  }

  /** What can be said of an event whose publish ends now without success. */
  get outcome(): Outcome {
    return this.attempts === 0 ? 'not-sent' : 'unknown'
  }

  /** Gives the entry the promise of its publisher. */
  await(resolve: (receipt: PublishReceipt) => void, reject: (error: Error) => void): void {
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Starts the time limit of its publisher. */
  limit(timeoutMs: number, clock: Clock, expired: () => void): void {
    this.#clock = clock
    this.#timer = clock.setTimeout(expired, timeoutMs)
  }

  /** The operating system took the frame over. */
  sent(): void {
    const resolve = this.#resolve
    this.#end()
    resolve?.({ id: this.event.id, status: 'sent', attempts: this.attempts })
  }

  /** The other side has taken it over. */
  confirmed(): void {
    const resolve = this.#resolve
    this.#end()
    resolve?.({ id: this.event.id, status: 'confirmed', attempts: this.attempts })
  }

  fail(error: Error): void {
    const reject = this.#reject
    this.#end()
    this.leaveLine?.abort(error)
    reject?.(error)
  }

  #end(): void {
    if (this.#timer !== undefined) this.#clock?.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#resolve = undefined
    this.#reject = undefined
    this.ticket?.cancel()
  }
}
