/** One publish under way in a memory transport: it settles exactly once, and leaves no timer and no listener. */
import type { Clock } from '../contract/clock.ts'
import { AbortedError, DroppedError, TimeoutError } from '../contract/errors.ts'
import type { PublishOptions, PublishReceipt } from '../contract/transport.ts'
import type { AbortWatch } from '../queue/abort-watch.ts'
import { refusalError } from '../queue/refusal.ts'
import { after } from '../resilience/wait.ts'
import type { MemoryOutbox, Parcel } from './memory-outbox.ts'

export interface MemoryPublishInit {
  readonly id: string
  readonly type: string
  readonly frame: string | Uint8Array
  readonly options: PublishOptions
  readonly outbox: MemoryOutbox
  readonly clock: Clock
  /** Calls {@link MemoryPublish.abort}. */
  readonly signals: AbortWatch<MemoryPublish>
  /** The queue's strategy gave it up. */
  onDropped(error: DroppedError): void
}

interface Settle {
  resolve(receipt: PublishReceipt): void
  reject(error: unknown): void
}

/** A parcel whose publisher waits for it. */
export class MemoryPublish implements Parcel {
  readonly id: string
  readonly type: string
  readonly frame: string | Uint8Array
  readonly done: Promise<PublishReceipt>
  readonly #init: MemoryPublishInit
  /** Ends the wait for room. */
  readonly #giveUp = new AbortController()
  #stopTimer: (() => void) | undefined
  #settle: Settle | undefined

  constructor(init: MemoryPublishInit) {
    this.#init = init
    this.id = init.id
    this.type = init.type
    this.frame = init.frame
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  /** Puts it into the outbox, at once or when there is room. */
  start(): void {
    const { outbox } = this.#init
    const result = outbox.offer(this)
    if (result === 'full') {
      this.#watch()
      outbox.push(this, this.#giveUp.signal).catch((error: unknown) => this.fail(error))
    } else if (result === 'accepted') this.#watch()
    else this.fail(refusalError(result, Buffer.byteLength(this.frame), outbox.stats().maxBytes))
  }

  sent(): void {
    this.#release()?.resolve(Object.freeze({ id: this.id, status: 'confirmed', attempts: 1 }))
  }

  dropped(): void {
    const message = 'The outbound queue is full and gave the event up'
    const error = new DroppedError(message, { outcome: 'not-sent' })
    this.#init.onDropped(error)
    this.fail(error)
  }

  abandoned(error: Error): void {
    this.fail(error)
  }

  /** Its signal aborted. */
  abort(cause: unknown): void {
    this.#withdraw((outcome) => new AbortedError('publish', { cause, outcome }))
  }

  fail(error: unknown): void {
    this.#release()?.reject(error)
  }

  #watch(): void {
    const { options, clock } = this.#init
    const { signal, timeoutMs } = options
    if (signal !== undefined) this.#init.signals.add(signal, this)
    if (timeoutMs === undefined || timeoutMs === Infinity) return
    this.#stopTimer = after(clock, timeoutMs, () => {
      const message = `publish took longer than ${timeoutMs} ms`
      this.#withdraw((outcome) => new TimeoutError(message, { outcome }))
    })
  }

  #withdraw(makeError: (outcome: 'not-sent' | 'unknown') => Error): void {
    const { outbox } = this.#init
    const isOut = outbox.withdraw(this) || !outbox.isUnderWay(this)
    this.fail(makeError(isOut ? 'not-sent' : 'unknown'))
    this.#giveUp.abort()
  }

  #release(): Settle | undefined {
    const settle = this.#settle
    this.#settle = undefined
    this.#stopTimer?.()
    const { options, signals } = this.#init
    if (options.signal !== undefined) signals.delete(options.signal, this)
    return settle
  }
}
