/** The backend: a transport over which several hubs share their events. */
import { randomUUID } from 'node:crypto'
import { BusError, sleep, type Event, type Feed, type Transport } from '@bus/core'
import { Passage } from './passage.ts'

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
