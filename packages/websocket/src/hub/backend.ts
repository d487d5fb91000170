/** The backend: a transport over which several hubs share their events. */

import { randomUUID } from 'node:crypto'
import { BusError, type Event, type Feed, type Transport } from '@bus/core'
import { sleep } from '@bus/core/kit'

/** Between attempts to share an event, and to find room for one that came. */
const RETRY_MS = 100

/** What the backend of a hub has done. */
export interface BackendStats {
  /** Events that the medium has taken. */
  readonly shared: number
  /** Events of other hubs. */
  readonly received: number
  /** Events that the medium refused for good: they stayed with this hub's subscribers. */
  readonly refused: number
  /** Events that the medium has not taken yet; their publishers wait for their confirmation. */
  readonly waiting: number
}

export interface BackendPorts {
  /** Takes an event of another hub; `false` when there is no room now. */
  take(event: Event): boolean
  /** An event was shared, so its publisher may be sent its confirmation. */
  shared(): void
  failed(error: unknown): void
}

interface Sharing {
  readonly offset: number
  isDone: boolean
}

/** Shares the events of one hub, and takes in those of the others. It owns its transport. */
export class Backend {
  readonly #transport: Transport
  readonly #ports: BackendPorts
  readonly #hops = new HopTracker(randomUUID())
  readonly #ended = new AbortController()
  /** In the order of the log. */
  readonly #sharings: Sharing[] = []
  readonly #coming: { readonly event: Event; readonly token: number }[] = []
  #feed: Feed | undefined
  #shared = 0
  #received = 0
  #refused = 0
  #isRetrying = false
  #pause: Promise<void> | undefined

  constructor(transport: Transport, ports: BackendPorts) {
    this.#transport = transport
    this.#ports = ports
  }

  /** Every event of the log up to this offset is with the medium, as far as it has to be. */
  get sharedUpTo(): number {
    const [first] = this.#sharings
    return first === undefined ? Infinity : first.offset - 1
  }

  stats(): BackendStats {
    const waiting = this.#sharings.length
    return { shared: this.#shared, received: this.#received, refused: this.#refused, waiting }
  }

  /** Resolves when events of other hubs come. */
  async start(): Promise<void> {
    await this.#transport.connect()
    this.#feed = this.#transport.subscribe(['>'], {
      deliver: (event, token) => this.#deliver(event, token),
    })
    await this.#feed.live
  }

  /** Publishes an event of this hub to the medium. @returns whether its publisher waits for that */
  share(event: Event, offset: number): boolean {
    const outward = this.#hops.outward(event, offset)
    if (outward === undefined) {
      this.#refused++
      return false
    }
    const sharing = { offset, isDone: false }
    // Hubs that wait for each other in a circle would wait for ever: an event that has passed a hub is not waited for.
    const isAwaited = !this.#hops.isPassedOn(event)
    if (isAwaited) this.#sharings.push(sharing)
    void this.#publish(outward, sharing)
    return isAwaited
  }

  /** Whether what a client publishes comes back to this hub: the client is a hub, whose backend this one is. */
  isEcho(event: Event): boolean {
    return this.#hops.isEcho(event)
  }

  /** Sends what was accepted, then closes the transport. */
  async close(): Promise<void> {
    await this.#transport.drain({ timeoutMs: 5_000 })
    this.#ended.abort()
  }

  async #publish(event: Event, sharing: Sharing): Promise<void> {
    for (;;) {
      try {
        await this.#transport.publish(event)
        this.#shared++
        break
      } catch (error) {
        if (this.#ended.signal.aborted) return
        this.#ports.failed(error)
        // An error that is not ours does not say whether another attempt would help.
        const isHopeless = !(error instanceof BusError && error.retryable)
        if (isHopeless) this.#refused++
        if (isHopeless || !(await this.#waited())) break
      }
    }
    sharing.isDone = true
    while (this.#sharings[0]?.isDone === true) this.#sharings.shift()
    this.#ports.shared()
  }

  /** All attempts share one pause, and its one listener on the signal. `false`: the hub has closed. */
  async #waited(): Promise<boolean> {
    const { signal } = this.#ended
    this.#pause ??= sleep(RETRY_MS, { signal })
      .catch(() => {})
      .finally(() => (this.#pause = undefined))
    await this.#pause
    return !signal.aborted
  }

  #deliver(event: Event, token: number): boolean {
    if (this.#hops.isKnown(event)) {
      this.#feed?.settle(token)
      return this.#coming.length === 0
    }
    this.#coming.push({ event: this.#hops.inward(event), token })
    this.#takeIn()
    if (this.#coming.length > 0) void this.#retry()
    return this.#coming.length === 0
  }

  #takeIn(): void {
    let [next] = this.#coming
    while (next !== undefined && this.#ports.take(next.event)) {
      this.#received++
      this.#coming.shift()
      this.#feed?.settle(next.token)
      ;[next] = this.#coming
    }
  }

  /** The log is full: the medium holds back the rest until there is room. */
  async #retry(): Promise<void> {
    if (this.#isRetrying) return
    this.#isRetrying = true
    while (this.#coming.length > 0 && (await this.#waited())) this.#takeIn()
    this.#isRetrying = false
    if (this.#coming.length === 0) this.#feed?.ready()
  }
}

/** The metadata that names the hubs that an event has passed, the last one last. */
const PASSED = 'busHub'
/** Hubs that an event may pass: more than that is a mistake in the set-up. */
const MAX_HOPS = 8
/** Names that are remembered, of each kind. */
const REMEMBERED = 65_536

/** The most recent names. */
class Recent {
  readonly #names = new Set<string>()

  add(name: string): void {
    this.#names.add(name)
    if (this.#names.size <= REMEMBERED) return
    const [oldest] = this.#names
    if (oldest !== undefined) this.#names.delete(oldest)
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }
}

/**
 * Recognizes events that come back to this hub. Each hub adds itself as a hop to what it gives to its backend, with the offset
 * that the event has in its log: no two events that a hub shares have the same hop, so one that comes twice was repeated by the
 * medium.
 */
class HopTracker {
  readonly #hub: string
  readonly #shared = new Recent()
  readonly #published = new Recent()
  readonly #pulled = new Recent()

  constructor(hub: string) {
    this.#hub = hub
  }

  /** The event as it goes to the backend; `undefined` when it has passed too many hubs. */
  outward(event: Event, offset: number): Event | undefined {
    this.#published.add(nameOf(event))
    const passed = passedBy(event)
    if (passed.length >= MAX_HOPS) return undefined
    const metadata = { ...event.metadata, [PASSED]: [...passed, `${this.#hub}:${offset}`] }
    return { ...event, metadata }
  }

  /** Whether an event of a client has passed another hub, which is that client. */
  isPassedOn(event: Event): boolean {
    return passedBy(event).length > 0
  }

  /** Whether an event of the backend is known: it has passed this hub, or came before. */
  isKnown(event: Event): boolean {
    const passed = passedBy(event)
    const [last] = passed.slice(-1)
    // Its publisher is no hub that adds itself: perhaps we published it, if the medium is a hub.
    if (last === undefined) return this.#published.has(nameOf(event))
    return this.#isOwn(passed) || this.#shared.has(last)
  }

  /** An event of the backend as subscribers get it; it is known from now on. */
  inward(event: Event): Event {
    const [last] = passedBy(event).slice(-1)
    if (last === undefined) this.#pulled.add(nameOf(event))
    else this.#shared.add(last)
    const { [PASSED]: _passed, ...metadata } = event.metadata
    return { ...event, metadata }
  }

  /** Whether what a client publishes comes back to this hub: the client is a hub, whose backend this one is. */
  isEcho(event: Event): boolean {
    const passed = passedBy(event)
    return passed.length > 0 && (this.#isOwn(passed) || this.#pulled.has(nameOf(event)))
  }

  #isOwn(passed: readonly string[]): boolean {
    return passed.some((name) => name.startsWith(`${this.#hub}:`))
  }
}

/** Whether the body of an event may name hubs, without reading it. */
export function mayHavePassed(body: Buffer): boolean {
  return body.includes(PASSED)
}

function passedBy({ metadata }: Event): readonly string[] {
  const passed = metadata[PASSED]
  return Array.isArray(passed) ? passed.filter((name) => typeof name === 'string') : []
}

function nameOf({ id, metadata }: Event): string {
  return `${metadata.source ?? ''} ${id}`
}
