/** The record of one channel subscription: its status, its history, and who wants it. */

/**
 * How a channel subscription stands.
 *
 * - `pending`: the server was asked, or will be as soon as there is a link.
 * - `confirmed`: the server has confirmed it, on the link that there is or on the one before.
 * - `failed`: the server refused it, or ended it.
 * - `unsubscribed`: nobody wanted it any more.
 * - `expired`: the server did not answer in time.
 *
 * The last three are final: who wants the channel again gets another subscription.
 */
export type ChannelStatus = 'pending' | 'confirmed' | 'failed' | 'unsubscribed' | 'expired'

/** One step of a subscription's history. */
export interface ChannelChange {
  readonly status: ChannelStatus
  /** When: the wall clock, in milliseconds since 1970. */
  readonly at: number
  /** Why, where there is something to say. */
  readonly reason?: string
}

/** One subscription to one channel, as it stood when it was looked at. */
export interface ChannelSubscription {
  readonly id: string
  readonly channel: string
  readonly status: ChannelStatus
  /** The newest steps, the oldest of them first; the last is how it stands. */
  readonly history: readonly ChannelChange[]
}

/** Steps that are remembered of one subscription: it lives through any number of links. */
export const MAX_HISTORY = 32

/** Who wants a channel: a pattern, or a call. */
export type Holder = string | symbol

/** What a record tells of each step. */
export type Changed = (subscription: ChannelSubscription, error: Error | undefined) => void

interface Settling {
  readonly promise: Promise<void>
  resolve(): void
  reject(error: Error): void
}

/** Belongs to the table; changes its status only by these methods, and ends once. */
export class ChannelRecord {
  readonly id: string
  readonly channel: string
  readonly holders: Set<Holder> = new Set()
  readonly #history: ChannelChange[]
  readonly #changed: Changed
  #wasConfirmed: boolean
  #error: Error | undefined
  #settling: Settling

  /** @param history - at least one step */
  constructor(id: string, channel: string, history: readonly ChannelChange[], changed: Changed) {
    this.id = id
    this.channel = channel
    this.#history = [...history]
    this.#changed = changed
    this.#wasConfirmed = history.some((step) => step.status === 'confirmed')
    this.#settling = settling()
    if (this.status === 'confirmed') this.#settling.resolve()
  }

  get status(): ChannelStatus {
    return this.#history.at(-1)?.status ?? 'pending'
  }

  get isLive(): boolean {
    return isLive(this.status)
  }

  /** Whether the server has ever confirmed it. */
  get wasConfirmed(): boolean {
    return this.#wasConfirmed
  }

  /** Why it has ended. */
  get error(): Error | undefined {
    return this.#error
  }

  /** Resolves when it is confirmed, and rejects when it ends before. */
  get settled(): Promise<void> {
    return this.#settling.promise
  }

  /** A new link: the server must confirm it again. */
  restore(): void {
    if (this.status !== 'confirmed') return
    this.#settling = settling()
    this.#enter('pending', undefined, 'restoring')
  }

  confirm(): void {
    if (this.status !== 'pending') return
    this.#wasConfirmed = true
    this.#enter('confirmed')
    this.#settling.resolve()
  }

  /** Its end. Whoever waits for it is told the error. */
  end(status: 'failed' | 'unsubscribed' | 'expired', error: Error): void {
    if (!this.isLive) return
    this.holders.clear()
    this.#error = error
    this.#enter(status, error, status === 'unsubscribed' ? undefined : error.message)
    this.#settling.reject(error)
  }

  /** Nobody will hear more of it, although it has not ended. */
  giveUp(error: Error): void {
    this.#settling.reject(error)
  }

  look(): ChannelSubscription {
    const { id, channel, status } = this
    return Object.freeze({ id, channel, status, history: Object.freeze([...this.#history]) })
  }

  #enter(status: ChannelStatus, error?: Error, reason?: string): void {
    const at = Date.now()
    this.#history.push(
      Object.freeze(reason === undefined ? { status, at } : { status, at, reason }),
    )
    if (this.#history.length > MAX_HISTORY) this.#history.shift()
    this.#changed(this.look(), error)
  }
}

/** Whether a subscription with this status is still wanted. */
export function isLive(status: ChannelStatus): boolean {
  return status === 'pending' || status === 'confirmed'
}

function settling(): Settling {
  let resolve: () => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<void>((res, rej) => {
    resolve = res
    reject = rej
  })
  // Whoever does not wait for it is not told by an unhandled rejection.
  promise.catch(() => {})
  return { promise, resolve: () => resolve(), reject: (error) => reject(error) }
}
