/** The faults that a test can set: for handshakes to come, and for live connections. */
import { ConfigError } from '@bus/core'
import { assertCloseFrame } from './mock-connection.ts'
import { assertHeaders, assertInteger } from './options.ts'

/** How the server treats its open connections right now. */
export interface LinkConditions {
  /** Pings are left without an answer. */
  withholdPongs: boolean
  /** Sockets are not read. */
  stalled: boolean
  /** How long each send is held back, in milliseconds. */
  delayMs: number
}

/** The link of a server without faults. */
export function healthyLink(): LinkConditions {
  return { withholdPongs: false, stalled: false, delayMs: 0 }
}

/** How often a fault of the handshake happens. */
export interface TimesOptions {
  /**
   * For how many handshakes; those after follow the fault set next, or succeed.
   * @default Infinity
   */
  readonly times?: number | undefined
}

/** The answer that refuses a handshake. */
export interface RefuseOptions extends TimesOptions {
  /**
   * Headers of the answer.
   * @default {}
   */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Text of the answer.
   * @default ''
   */
  readonly body?: string | undefined
  /**
   * The header `Retry-After`, in seconds.
   * @default undefined
   */
  readonly retryAfterSeconds?: number | undefined
}

/** The pace of a slow answer. */
export interface DripOptions extends TimesOptions {
  /**
   * Milliseconds between two bytes of the answer.
   * @default 100
   */
  readonly intervalMs?: number | undefined
}

/** The connections that faults act upon. */
interface FaultTarget {
  stall(): void
  unstall(): void
  reset(): void
  sendRaw(bytes: Uint8Array): void
}

/** The faults of a mock server. Until `clear`, each applies to live connections and to those to come. */
export class MockFaults {
  readonly #link: LinkConditions
  readonly #upgrades: UpgradeFaults
  readonly #live: () => readonly FaultTarget[]

  constructor(parts: {
    link: LinkConditions
    upgrades: UpgradeFaults
    live: () => readonly FaultTarget[]
  }) {
    this.#link = parts.link
    this.#upgrades = parts.upgrades
    this.#live = parts.live
  }

  /** Answers handshakes with this HTTP status instead of an upgrade. */
  refuse(status: number, options: RefuseOptions = {}): void {
    const { headers = {}, body = '', retryAfterSeconds } = options
    assertInteger('status', status, 200, 599)
    assertHeaders('headers', headers)
    if (retryAfterSeconds !== undefined) assertInteger('retryAfterSeconds', retryAfterSeconds, 0)
    const retry = retryAfterSeconds === undefined ? {} : { 'Retry-After': `${retryAfterSeconds}` }
    this.#add({ kind: 'refuse', status, headers: { ...retry, ...headers }, body }, options)
  }

  /** Accepts the TCP connection and reads the handshake, but never answers it. */
  hangUpgrade(options: TimesOptions = {}): void {
    this.#add({ kind: 'hang' }, options)
  }

  /** Sends the answer to the handshake one byte at a time. */
  dripUpgrade(options: DripOptions = {}): void {
    const { intervalMs = 100 } = options
    assertInteger('intervalMs', intervalMs, 1)
    this.#add({ kind: 'drip', intervalMs }, options)
  }

  /** Breaks the connection with a TCP reset when the handshake comes. */
  resetUpgrade(options: TimesOptions = {}): void {
    this.#add({ kind: 'reset' }, options)
  }

  /** Answers the handshake with these bytes and ends the connection: a wrong key, or no HTTP at all. */
  answerUpgrade(bytes: string | Uint8Array, options: TimesOptions = {}): void {
    this.#add(
      { kind: 'answer', bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes },
      options,
    )
  }

  /** Accepts connections and closes them at once with this code. */
  closeAfterOpen(code = 1000, options: TimesOptions & { readonly reason?: string } = {}): void {
    const { reason = '' } = options
    assertCloseFrame(code, reason)
    this.#add({ kind: 'close', code, reason }, options)
  }

  /** Leaves pings without an answer. */
  withholdPongs(): void {
    this.#link.withholdPongs = true
  }

  /** Stops reading the sockets, so that the buffers on the way fill up. */
  stall(): void {
    this.#link.stalled = true
    for (const connection of this.#live()) connection.stall()
  }

  /** Holds back, by this many milliseconds, the answer to a handshake, and every message, ping, pong and close that the server sends. */
  delay(ms: number): void {
    assertInteger('ms', ms, 0)
    this.#link.delayMs = ms
  }

  /** Breaks the live connections with a TCP reset. */
  reset(): number {
    const live = this.#live()
    for (const connection of live) connection.reset()
    return live.length
  }

  /** Writes bytes to the live sockets as they are, past the WebSocket framing. */
  sendRaw(bytes: Uint8Array): number {
    if (!(bytes instanceof Uint8Array)) {
      throw ConfigError.expected('bytes', 'to be a Uint8Array', bytes)
    }
    const live = this.#live()
    for (const connection of live) connection.sendRaw(bytes)
    return live.length
  }

  /** Ends all faults. What hangs keeps hanging, what is held back leaves at its time. */
  clear(): void {
    this.#upgrades.clear()
    this.#link.withholdPongs = false
    this.#link.delayMs = 0
    this.#link.stalled = false
    for (const connection of this.#live()) connection.unstall()
  }

  #add(fault: Parameters<UpgradeFaults['add']>[0], { times }: TimesOptions): void {
    if (times !== undefined && times !== Infinity) assertInteger('times', times, 1)
    this.#upgrades.add(fault, times)
  }
}

/** One way to treat a handshake wrongly. */
export type UpgradeFault =
  | {
      readonly kind: 'refuse'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  | { readonly kind: 'hang' }
  | { readonly kind: 'drip'; readonly intervalMs: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'answer'; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }

/**
 * The faults of the next handshakes. One with a number of times is followed by the one set after it; one without lasts
 * until the next is set.
 */
export class UpgradeFaults {
  #sequence: { readonly fault: UpgradeFault; left: number }[] = []

  /** Appends a fault, in place of one that would have lasted for ever. */
  add(fault: UpgradeFault, times: number = Infinity): void {
    if (this.#sequence.at(-1)?.left === Infinity) this.#sequence.pop()
    this.#sequence.push({ fault, left: times })
  }

  /** The fault for the handshake that has just come. */
  next(): UpgradeFault | undefined {
    const head = this.#sequence[0]
    if (head === undefined) return undefined
    head.left--
    if (head.left === 0) this.#sequence.shift()
    return head.fault
  }

  clear(): void {
    this.#sequence = []
  }
}
