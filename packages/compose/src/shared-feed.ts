/** A subscription over several transports: each event once, whichever brings it first. */
import type { BusError, Event, Feed, FeedOptions, Sink } from '@bus/core'
import type { Member } from './member.ts'
import type { SeenEvents } from './seen-events.ts'

/** What a subscription over several transports is made of. */
export interface SharedFeedInit {
  readonly patterns: readonly string[]
  readonly sink: Sink
  readonly options: FeedOptions
  /** The ways on which events came to this subscription. */
  readonly seen: SeenEvents<Member>
  /** Whether the event is one of ours, which must not come back. */
  readonly isOwn: (event: Event) => boolean
  readonly ended: (feed: SharedFeed) => void
  /** A transport refused the subscription, and others go on with it. */
  readonly failed: (error: Error) => void
}

/** Where a delivery has to be settled. */
interface Origin {
  readonly feed: Feed
  readonly token: number
}

/** Takes part in the feed of each member, also of those that come later. */
export class SharedFeed implements Feed {
  readonly live: Promise<void>
  readonly #init: SharedFeedInit
  readonly #feeds = new Map<Member, Feed>()
  /** Those whose feed is live. */
  readonly #live = new Set<Member>()
  /** Deliveries that are not settled yet, by the token that the sink got. */
  readonly #origins = new Map<number, Origin>()
  #tokens = 0
  #hasEnded = false
  #settleLive: { resolve(): void; reject(error: Error): void } | undefined

  constructor(init: SharedFeedInit) {
    this.#init = init
    this.live = new Promise((resolve, reject) => {
      this.#settleLive = { resolve, reject }
    })
    // Also rejected where no caller waits for it.
    this.live.catch(() => {})
  }

  add(member: Member): void {
    if (this.#hasEnded || this.#feeds.has(member)) return
    const { patterns, options } = this.#init
    const sink: Sink = { deliver: (event, token) => this.#deliver(member, event, token) }
    let feed: Feed
    try {
      feed = member.transport.subscribe(patterns, sink, options)
    } catch (error) {
      this.#refused(member, error as Error)
      return
    }
    this.#feeds.set(member, feed)
    feed.live.then(
      () => {
        this.#live.add(member)
        this.check()
      },
      (error: Error) => {
        if (this.#feeds.get(member) === feed) this.#refused(member, error)
      },
    )
  }

  /** The member is none any more; what it delivered may still be settled. */
  remove(member: Member): void {
    const feed = this.#feeds.get(member)
    this.#live.delete(member)
    this.#feeds.delete(member)
    void feed?.unsubscribe().catch((error: unknown) => this.#init.failed(error as Error))
  }

  /** Live: one member's feed is, and that of every other that is ready. */
  check(): void {
    if (this.#live.size === 0) return
    const isAll = [...this.#feeds.keys()].every(
      (member) => this.#live.has(member) || !member.isReady,
    )
    if (isAll) this.#settleLive?.resolve()
  }

  ready(): void {
    for (const feed of this.#feeds.values()) feed.ready()
  }

  settle(token: number): void {
    const origin = this.#origins.get(token)
    if (origin === undefined) return
    this.#origins.delete(token)
    origin.feed.settle(origin.token)
  }

  async unsubscribe(): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#init.ended(this)
    await Promise.all([...this.#feeds.values()].map((feed) => feed.unsubscribe()))
  }

  /** The composition is closed. */
  close(error: BusError): void {
    this.#settleLive?.reject(error)
    for (const member of this.#feeds.keys()) this.remove(member)
    this.#hasEnded = true
  }

  #deliver(member: Member, event: Event, token: number): boolean {
    const feed = this.#feeds.get(member)
    if (this.#hasEnded || feed === undefined) return true
    const { seen, sink, isOwn } = this.#init
    // What the same member brings again is its own affair: it may not have been handled.
    if (isOwn(event) || (this.#feeds.size > 1 && seen.firstWay(event, member) !== member)) {
      feed.settle(token)
      return true
    }
    this.#tokens++
    this.#origins.set(this.#tokens, { feed, token })
    return sink.deliver(event, this.#tokens)
  }

  #refused(member: Member, error: Error): void {
    const { options, failed, ended } = this.#init
    this.#feeds.delete(member)
    this.#live.delete(member)
    if (this.#hasEnded) return
    if (this.#feeds.size > 0 && options.signal?.aborted !== true) {
      failed(error)
      this.check()
      return
    }
    this.#hasEnded = true
    ended(this)
    this.#settleLive?.reject(error)
  }
}
