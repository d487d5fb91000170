/** Subscriptions: the feeds of this transport, kept the same on the server where the protocol has such a thing. */

import {
  AbortedError,
  ConfigError,
  RejectedError,
  DisconnectedError,
  type BusError,
  type Clock,
  type Feed,
  type Sink,
  type FeedOptions,
  type Undeliverable,
} from '@bus/core'
import { AbortWatch, withDeadline } from '@bus/core/kit'
import { ClientFeed, type FeedOwner, type Registry, type RegistryEntry } from './registry.ts'
import { DetachedSubscriptions } from './detached-subscriptions.ts'
import PQueue from 'p-queue'
import type { ProtocolLink, ProtocolSession } from '../../protocol/protocol.ts'

export interface ServerSubscriptionsPorts {
  /** Makes the requests to the server, where the protocol has such requests. */
  readonly remote: () => Pick<
    ProtocolSession,
    'subscribe' | 'unsubscribe' | 'restore' | 'isOutdated'
  >
  readonly registry: Registry
  readonly clock: Clock
  /** Milliseconds that the server gets to answer a request. */
  readonly timeoutMs: number
  /** No sink is held any more. */
  released(): void
  restored(patterns: readonly string[]): void
  restoreFailed(patterns: readonly string[], error: Error): void
  /** A request to the server failed for which no caller waits. */
  failed(error: Error): void
  /** An event came for a subscription that no new owner has claimed. */
  undeliverable(notice: Undeliverable): void
}

/** Lives as long as the transport. Requests to the server go one after the other, so that their order is that of the calls. */
export class ServerSubscriptions implements FeedOwner {
  readonly #ports: ServerSubscriptionsPorts
  readonly #requests: ServerRequests
  readonly #goingLive = new GoingLive()
  /** The link that is ready, and the patterns that were requested on it. */
  #link: SubscriptionLink | undefined
  #onServer = new Set<string>()
  #wasUp = false
  #closedBy: BusError | undefined

  /** Subscriptions between two owners. */
  readonly detached: DetachedSubscriptions

  constructor(ports: ServerSubscriptionsPorts) {
    this.#ports = ports
    const { clock, timeoutMs } = ports
    this.#requests = new ServerRequests({
      clock,
      timeoutMs,
      link: () => this.#link,
      failed: (error) => ports.failed(error),
    })
    this.detached = new DetachedSubscriptions({
      clock,
      settle: (token) => ports.registry.settle(token),
      released: (entry) => this.hasRoom(entry),
      ended: (entry) => void this.remove(entry),
      undeliverable: (notice) => ports.undeliverable(notice),
    })
  }

  add(patterns: readonly string[], sink: Sink, options: FeedOptions): Feed {
    const settles = options.delivery !== 'at-most-once'
    const own = [...new Set(patterns)]
    const claimed = this.detached.claim(own, settles)
    const entry = claimed ?? {
      patterns: own,
      sink,
      settles,
      isHeld: false,
      unread: [],
      mustSettle: false,
    }
    entry.mustSettle = options.delivery === 'at-least-once'
    const live = this.#live(entry, options.signal)
    if (claimed !== undefined) this.detached.deliver(claimed, sink)
    // A subscriber that does not wait for it gets no unhandled rejection.
    live.catch(() => {})
    return new ClientFeed(live, entry, this.#ports.registry, this)
  }

  /** Requests all patterns from the server of a new link; part of making it ready. */
  async restore(link: SubscriptionLink): Promise<void> {
    const { registry } = this.#ports
    const remote = this.#ports.remote()
    this.#onServer = new Set()
    const patterns = registry.patterns()
    await remote.restore?.(patterns, link)
    if (remote.subscribe === undefined || patterns.length === 0) return
    let refused: ReadonlyMap<string, Error>
    try {
      refused = await requestEach(remote, patterns, link)
    } catch (error) {
      this.#ports.restoreFailed(patterns, error as Error)
      throw error
    }
    // One that the server does not allow any more must not keep the others from living on.
    this.adopt(
      patterns.filter((pattern) => !refused.has(pattern)),
      refused,
    )
  }

  /** What was requested from the server of a new link and granted, where that is part of its welcome. */
  adopt(taken: readonly string[], refused: ReadonlyMap<string, Error>): void {
    for (const [pattern, error] of refused) this.#ports.restoreFailed([pattern], error)
    this.#onServer = new Set(taken)
    if (this.#wasUp && taken.length > 0) this.#ports.restored(taken)
  }

  /** The link is ready: what was restored is live; what was added or ended meanwhile is requested now. */
  up(link: SubscriptionLink): void {
    this.#link = link
    this.#wasUp = true
    for (const entry of this.#goingLive.entries()) this.#request(entry)
    void this.#unsubscribeUnused()
  }

  down(): void {
    this.#link = undefined
  }

  /** The other side turned out to settle nothing: subscriptions that demand it, and are not live yet, fail. */
  unsettled(error: Error): void {
    for (const entry of this.#goingLive.entries()) {
      if (!entry.mustSettle) continue
      this.#drop(entry)
      this.#goingLive.fail(entry, error)
    }
  }

  /** The owner goes, and its subscriptions buffer their events for the next one. */
  detach(error: BusError): void {
    for (const entry of this.#ports.registry.list()) {
      this.detached.add(entry)
      this.#goingLive.fail(entry, error)
      // What the last owner had no room for stays with it.
      this.hasRoom(entry)
    }
  }

  close(error: BusError): void {
    this.#closedBy = error
    this.detached.close()
    this.#link = undefined
    this.#goingLive.failAll(error)
    this.#ports.registry.clear()
  }

  #live(entry: RegistryEntry, signal: AbortSignal | undefined): Promise<void> {
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedBy)
    if (signal?.aborted === true) {
      return Promise.reject(new AbortedError('Subscribing', { cause: signal.reason }))
    }
    if (!this.#ports.registry.has(entry)) this.#ports.registry.add(entry)
    const live = this.#goingLive.wait(entry, signal, () => void this.remove(entry))
    this.#request(entry)
    return live
  }

  /** Makes the entry live on the ready link; without one, the next `up` does it. */
  #request(entry: RegistryEntry): void {
    if (this.#link === undefined) return
    if (this.#ports.remote().subscribe === undefined) {
      this.#goingLive.done(entry)
      return
    }
    void this.#requests.enqueue(async (link) => {
      if (!this.#goingLive.has(entry)) return
      const remote = this.#ports.remote()
      const missing = entry.patterns.filter(
        (pattern) => !this.#onServer.has(pattern) || remote.isOutdated?.(pattern) === true,
      )
      try {
        if (missing.length > 0) await this.#subscribe(missing, link)
      } catch (error) {
        // A lost link says nothing about the patterns: they are requested again on the next one.
        if (isLoss(link, error)) return
        this.#drop(entry)
        this.#goingLive.fail(entry, error as Error)
        if (missing.length > 1 || !(error instanceof RejectedError))
          await this.#retract(missing, link)
        return
      }
      if (this.#link !== link) return
      for (const pattern of missing) this.#onServer.add(pattern)
      this.#goingLive.done(entry)
    })
  }

  hasRoom(entry: RegistryEntry): void {
    this.#release(entry)
    if (this.#ports.registry.held === 0) this.#ports.released()
  }

  /** What a sink without room was given counts as delivered now. */
  #release(entry: RegistryEntry): void {
    const { registry } = this.#ports
    registry.release(entry)
    for (const token of entry.unread.splice(0)) registry.settle(token)
  }

  remove(entry: RegistryEntry): Promise<void> {
    if (!this.#drop(entry)) return Promise.resolve()
    this.#goingLive.fail(entry, new AbortedError('Subscribing'))
    return this.#unsubscribeUnused()
  }

  /** `false` when it was not there. */
  #drop(entry: RegistryEntry): boolean {
    const { registry } = this.#ports
    const wasHeld = entry.isHeld
    if (!registry.delete(entry)) return false
    this.#release(entry)
    if (wasHeld && registry.held === 0) this.#ports.released()
    return true
  }

  /** Ends what no subscription has any more: one request for everything that ended before it is made. */
  #unsubscribeUnused(): Promise<void> {
    const { registry } = this.#ports
    const remote = this.#ports.remote()
    if (remote.unsubscribe === undefined || this.#link === undefined) return Promise.resolve()
    return this.#requests.enqueue(async (link) => {
      const gone = [...this.#onServer].filter((pattern) => !registry.hasPattern(pattern))
      for (const pattern of gone) this.#onServer.delete(pattern)
      await this.#retract(gone, link)
    })
  }

  /** Ends those of the patterns that no subscription has; the server may have some of them. */
  async #retract(patterns: readonly string[], link: SubscriptionLink): Promise<void> {
    const { registry } = this.#ports
    const remote = this.#ports.remote()
    const gone = patterns.filter((pattern) => !registry.hasPattern(pattern))
    if (gone.length === 0) return
    await this.#requests.within(link, 'Unsubscribing', async (scope) =>
      remote.unsubscribe?.(gone, scope),
    )
  }

  #subscribe(patterns: readonly string[], link: SubscriptionLink): Promise<void> {
    const remote = this.#ports.remote()
    return this.#requests.within(link, 'Subscribing', async (scope) =>
      remote.subscribe?.(patterns, scope),
    )
  }
}

interface PendingEntry {
  readonly entry: RegistryEntry
  readonly signal: AbortSignal | undefined
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  /** Called when the signal has ended the wait. */
  readonly aborted: () => void
}

/** Subscriptions that are not live yet. Every wait ends once, and leaves no listener on its signal. */
export class GoingLive {
  readonly #pending = new Map<RegistryEntry, PendingEntry>()
  readonly #signals: AbortWatch<PendingEntry> = new AbortWatch((pending, { reason }) => {
    this.#end(pending)
    pending.reject(new AbortedError('Subscribing', { cause: reason }))
    pending.aborted()
  })

  /** In the order in which they were subscribed. */
  entries(): Iterable<RegistryEntry> {
    return this.#pending.keys()
  }

  has(entry: RegistryEntry): boolean {
    return this.#pending.has(entry)
  }

  /** Resolves with {@link done}. @param aborted - called when the signal has ended the wait */
  wait(entry: RegistryEntry, signal: AbortSignal | undefined, aborted: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending = { entry, signal, resolve, reject, aborted }
      this.#pending.set(entry, pending)
      if (signal !== undefined) this.#signals.add(signal, pending)
    })
  }

  /** It is live. */
  done(entry: RegistryEntry): void {
    const pending = this.#pending.get(entry)
    if (pending !== undefined) this.#end(pending).resolve()
  }

  fail(entry: RegistryEntry, error: Error): void {
    const pending = this.#pending.get(entry)
    if (pending !== undefined) this.#end(pending).reject(error)
  }

  failAll(error: Error): void {
    for (const pending of this.#pending.values()) this.#end(pending).reject(error)
  }

  /** The next owner of an entry may wait for it by now. */
  #end(pending: PendingEntry): PendingEntry {
    const { entry, signal } = pending
    if (signal !== undefined) this.#signals.delete(signal, pending)
    if (this.#pending.get(entry) === pending) this.#pending.delete(entry)
    return pending
  }
}

/** What subscriptions need of a link. */
export interface SubscriptionLink extends ProtocolLink {
  /** The link as one request sees it: its waits end with the signal. */
  scoped(signal: AbortSignal): ProtocolLink
}

export interface ServerRequestPorts {
  readonly clock: Clock
  /** Milliseconds that the server gets to answer a request. */
  readonly timeoutMs: number
  /** The link that is ready. */
  readonly link: () => SubscriptionLink | undefined
  /** A request failed for which no caller waits. */
  failed(error: Error): void
}

/** Lives as long as the transport. */
export class ServerRequests {
  readonly #ports: ServerRequestPorts
  readonly #queue = new PQueue({ concurrency: 1 })

  constructor(ports: ServerRequestPorts) {
    this.#ports = ports
  }

  /** Runs on the link that is ready by then; without one it has nothing to do. */
  async enqueue(request: (link: SubscriptionLink) => Promise<void>): Promise<void> {
    await this.#queue.add(async () => {
      const link = this.#ports.link()
      try {
        if (link !== undefined) await request(link)
      } catch (error) {
        if (link === undefined || !isLoss(link, error)) this.#ports.failed(error as Error)
      }
    })
  }

  /** One that is never answered would hold up all that come after it. */
  within(
    link: SubscriptionLink,
    what: string,
    run: (scope: ProtocolLink) => Promise<void>,
  ): Promise<void> {
    const { timeoutMs, clock } = this.#ports
    const limits = { timeoutMs, clock, what, signal: link.signal }
    return withDeadline((signal) => run(link.scoped(signal)), limits)
  }
}

/** Whether the request failed because its link did, which may be noticed by the write before the close. */
function isLoss(link: SubscriptionLink, error: unknown): boolean {
  return link.signal.aborted || error instanceof DisconnectedError
}

/**
 * Requests all at once, and where the server refuses, each alone.
 *
 * @returns those that it refused, each with its error; any other failure is thrown
 */
async function requestEach(
  remote: Pick<ProtocolSession, 'subscribe'>,
  patterns: readonly string[],
  link: ProtocolLink,
): Promise<Map<string, Error>> {
  const refused = new Map<string, Error>()
  try {
    await remote.subscribe?.(patterns, link)
  } catch (error) {
    // Neither is about the link: the server does not allow one of them, or the dialect knows no name for it.
    if (!(error instanceof RejectedError || error instanceof ConfigError)) throw error
    const [first, ...others] = patterns
    if (first !== undefined && others.length === 0) return refused.set(first, error)
    for (const pattern of patterns) {
      const [refusal] = await requestEach(remote, [pattern], link)
      if (refusal !== undefined) refused.set(...refusal)
    }
  }
  return refused
}
