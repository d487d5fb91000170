/** Broken on the way in: who gets which event, how often, and until when. */
import type { Event, Feed, FeedOptions, Sink } from '@bus/core'
import { Wrapped, feedLike } from './wrapped.ts'

/** Has one reader for all of its subscriptions: an event goes to the first that wants it, and to no other. */
export class SharesOneReader extends Wrapped {
  readonly #taken = new WeakMap<Sink, Set<string>>()
  readonly #all: Set<string>[] = []

  override subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    const own = new Set<string>()
    this.#taken.set(sink, own)
    this.#all.push(own)
    const single: Sink = {
      deliver: (event, token) => {
        if (this.#all.some((others) => others !== own && others.has(event.id))) return true
        own.add(event.id)
        return sink.deliver(event, token)
      },
    }
    return super.subscribe(patterns, single, options)
  }
}

/** Goes on delivering to a subscription that has ended. */
export class DeliversAfterUnsubscribe extends Wrapped {
  override subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    const feed = super.subscribe(patterns, sink, options)
    return feedLike(feed, { unsubscribe: () => Promise.resolve() })
  }
}

/** Ends every subscription of the same patterns when one of them ends. */
export class UnsubscribesNeighbours extends Wrapped {
  readonly #byPatterns = new Map<string, Feed[]>()

  override subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    const feed = super.subscribe(patterns, sink, options)
    const key = patterns.join()
    const alike = this.#byPatterns.get(key) ?? []
    this.#byPatterns.set(key, alike)
    alike.push(feed)
    const unsubscribe = async (): Promise<void> => {
      await Promise.all(alike.map((one) => one.unsubscribe()))
    }
    return feedLike(feed, { unsubscribe })
  }
}

/** Says that a subscription is live before it is. */
export class LiveTooEarly extends Wrapped {
  override subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    let feed: Feed | undefined
    let hasEnded = false
    const timer = setTimeout(() => {
      if (!hasEnded && this.status.state !== 'closed')
        feed = super.subscribe(patterns, sink, options)
    }, 3)
    return {
      live: Promise.resolve(),
      ready: () => feed?.ready(),
      settle: (token) => feed?.settle(token),
      unsubscribe: async () => {
        hasEnded = true
        clearTimeout(timer)
        await feed?.unsubscribe()
      },
    }
  }
}

/** Delivers once for each pattern that matches, and not once for each subscription. */
export class DeliversPerPattern extends Wrapped {
  override subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    const all = patterns.length === 0 ? ['>'] : patterns
    const feeds = all.map((pattern) => super.subscribe([pattern], sink, options))
    return {
      live: Promise.all(feeds.map((feed) => feed.live)).then(() => undefined),
      ready: () => {
        for (const feed of feeds) feed.ready()
      },
      settle: (token) => feeds[0]?.settle(token),
      unsubscribe: async () => {
        await Promise.all(feeds.map((feed) => feed.unsubscribe()))
      },
    }
  }
}

/** Takes `*` for any number of tokens. */
export class StarTakesAll extends Wrapped {
  override subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    const wide = patterns.map((pattern) => pattern.replace(/\*$/, '>'))
    return super.subscribe(wide, sink, options)
  }
}

/** Takes types for the same that differ in case only. */
export class IgnoresCase extends Wrapped {
  override subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    const wanted = new Set(patterns.map((pattern) => pattern.toLowerCase()))
    if (patterns.length === 0 || patterns.some((pattern) => /[*>]/.test(pattern))) {
      return super.subscribe(patterns, sink, options)
    }
    const loose: Sink = {
      deliver: (event, token) =>
        wanted.has(event.type.toLowerCase()) ? sink.deliver(event, token) : true,
    }
    return super.subscribe([], loose, options)
  }
}

/** Goes on delivering to a sink that has asked to wait. */
export class IgnoresFullSinks extends Wrapped {
  override subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    const deliver = (event: Event, token: number): boolean => {
      sink.deliver(event, token)
      return true
    }
    return super.subscribe(patterns, { deliver }, options)
  }
}

/** Does not send a client what it has published itself, though it promises to. */
export class ForgetsEcho extends Wrapped {
  readonly #own = new Set<string>()

  override publish(
    ...[event, options]: Parameters<Wrapped['publish']>
  ): ReturnType<Wrapped['publish']> {
    this.#own.add(event.id)
    return super.publish(event, options)
  }

  override subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    const foreign: Sink = {
      deliver: (event, token) => (this.#own.has(event.id) ? true : sink.deliver(event, token)),
    }
    return super.subscribe(patterns, foreign, options)
  }
}
