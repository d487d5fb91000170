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
  /** Something was shared: publishers may be told. */
  shared(): void
  failed(error: unknown): void
}

interface Sharing {
  readonly offset: number
  isDone: boolean
}

/** Belongs to one hub, and its transport with it. */
export class Backend {
  readonly #transport: Transport
  readonly #ports: BackendPorts
  readonly #passage = new Passage(randomUUID())
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

  /** Gives an event of this hub to the others. @returns whether its publisher waits until they have it */
  share(event: Event, offset: number): boolean {
    const outward = this.#passage.outward(event, offset)
    if (outward === undefined) {
      this.#refused++
      return false
    }
    const sharing = { offset, isDone: false }
    // Hubs that wait for each other in a circle would wait for ever: one that passes on waits for the next one only.
    const isAwaited = !this.#passage.isPassedOn(event)
    if (isAwaited) this.#sharings.push(sharing)
    void this.#publish(outward, sharing)
    return isAwaited
  }

  /** Whether what a client publishes has been here: the client is a hub, whose backend this one is. */
  isEcho(event: Event): boolean {
    return this.#passage.isEcho(event)
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
        // Of what is no error of ours nothing says that another attempt would help.
        const isHopeless = !(error instanceof BusError && error.retryable)
        if (isHopeless) this.#refused++
        if (isHopeless || !(await this.#waited())) break
      }
    }
    sharing.isDone = true
    while (this.#sharings[0]?.isDone === true) this.#sharings.shift()
    this.#ports.shared()
  }

  /** One wait for all that wait: each would be a listener on one signal. `false`: the hub has closed. */
  async #waited(): Promise<boolean> {
    const { signal } = this.#ended
    this.#pause ??= sleep(RETRY_MS, { signal })
      .catch(() => {})
      .finally(() => (this.#pause = undefined))
    await this.#pause
    return !signal.aborted
  }

  #deliver(event: Event, token: number): boolean {
    if (this.#passage.isKnown(event)) {
      this.#feed?.settle(token)
      return this.#coming.length === 0
    }
    this.#coming.push({ event: this.#passage.inward(event), token })
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

/** Where the hubs that an event has come through are named, the last one last. */
const PASSED = 'busHub'
/** Hubs that an event may come through: more are no detour but a mistake. */
const MAX_HOPS = 8
/** Events that are remembered, of each kind. */
const REMEMBERED = 65_536

/** The names that were seen last. */
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
 * Of one hub. Each hub adds itself to what it gives to its backend, with the offset that the event has there: no two things
 * that a hub shares are the same, so what comes twice with one name is a repetition of the medium.
 */
class Passage {
  readonly #hub: string
  readonly #shared = new Recent()
  readonly #published = new Recent()
  readonly #pulled = new Recent()

  constructor(hub: string) {
    this.#hub = hub
  }

  /** The event as it goes to the backend; `undefined` when it has come far enough. */
  outward(event: Event, offset: number): Event | undefined {
    this.#published.add(nameOf(event))
    const passed = passedBy(event)
    if (passed.length >= MAX_HOPS) return undefined
    const metadata = { ...event.metadata, [PASSED]: [...passed, `${this.#hub}:${offset}`] }
    return { ...event, metadata }
  }

  /** Whether an event of a client has come through another hub, which is that client. */
  isPassedOn(event: Event): boolean {
    return passedBy(event).length > 0
  }

  /** Whether an event of the backend is known: it came through this hub, or came before. */
  isKnown(event: Event): boolean {
    const passed = passedBy(event)
    const [last] = passed.slice(-1)
    // Somebody without a name of its own gave it to the medium: perhaps we did, if the medium is a hub.
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

  /** Whether what a client publishes has been here: the client is a hub, and this one its backend. */
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
