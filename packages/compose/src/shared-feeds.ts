/** The subscriptions of a composition, each over all of its members. */
import type { ClosedError, Event, Feed, FeedOptions, Sink } from '@bus/core'
import type { Member } from './member.ts'
import { SeenEvents } from './seen-events.ts'
import { SharedFeed } from './shared-feed.ts'

/** What the subscriptions need of their composition. */
export interface SharedFeedsOwner {
  readonly members: readonly Member[]
  /** A member refused a subscription that others carry on. */
  failed(error: Error): void
}

/** Lives as long as the composition. */
export class SharedFeeds {
  readonly #window: number
  readonly #owner: SharedFeedsOwner
  readonly #feeds = new Set<SharedFeed>()
  /** What we have published: it must not come back over another member. */
  readonly #own: SeenEvents<true>

  /** @param dedupeWindow - how many events each subscription remembers */
  constructor(dedupeWindow: number, owner: SharedFeedsOwner) {
    this.#window = dedupeWindow
    this.#owner = owner
    this.#own = new SeenEvents(dedupeWindow)
  }

  /** @param closedBy - why there is nothing to subscribe to any more */
  subscribe(
    patterns: readonly string[],
    sink: Sink,
    options: FeedOptions,
    closedBy: ClosedError | undefined,
  ): Feed {
    const feed: SharedFeed = new SharedFeed({
      patterns,
      sink,
      options,
      seen: new SeenEvents<Member>(this.#window),
      isOwn: (event) => this.#isOwn(event),
      ended: (ended) => this.#feeds.delete(ended),
      failed: (error) => this.#owner.failed(error),
    })
    if (closedBy === undefined) {
      this.#feeds.add(feed)
      for (const member of this.#owner.members) feed.add(member)
    } else feed.close(closedBy)
    return feed
  }

  /** The event goes out: it is no news when another member brings it. */
  published(event: Event): void {
    if (this.#owner.members.length > 1) this.#own.firstWay(event, true)
  }

  add(member: Member): void {
    for (const feed of this.#feeds) feed.add(member)
  }

  remove(member: Member): void {
    for (const feed of this.#feeds) feed.remove(member)
  }

  /** A member's status changed. */
  check(): void {
    for (const feed of this.#feeds) feed.check()
  }

  close(error: ClosedError): void {
    for (const feed of this.#feeds) feed.close(error)
    this.#feeds.clear()
  }

  #isOwn(event: Event): boolean {
    if (!this.#own.has(event)) return false
    return !this.#owner.members.every(({ transport }) => transport.capabilities.echo)
  }
}
