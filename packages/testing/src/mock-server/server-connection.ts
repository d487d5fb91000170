/** The server's end of one connection: records what arrives, and sends what a test or a fault requires. */
import type { Clock, Timer } from '@bus/core'
import type { WebSocket } from 'ws'
import {
  assertCloseFrame,
  type MockClose,
  type MockConnection,
  type MockData,
  type MockMessage,
  type MockRequest,
  toFrame,
  toMessage,
} from './mock-connection.ts'
import type { LinkConditions } from './faults.ts'
import { DEFAULT_WAIT_MS, type WaitForOptions, type Waits } from '../waits.ts'

/** The bytes under a WebSocket. */
export interface Wire {
  write(bytes: Uint8Array): void
  reset(): void
  onError(listener: (error: Error) => void): void
}

/** What a connection is made of. */
interface ConnectionParts {
  readonly index: number
  readonly request: MockRequest
  readonly socket: WebSocket
  readonly wire: Wire
  readonly link: Readonly<LinkConditions>
  readonly clock: Clock
  readonly waits: Waits
  /** Called for each message, after it was captured. */
  onMessage(message: MockMessage, connection: MockConnection): void
}

/** A connection with the operations that only its server may use. */
export class ServerConnection implements MockConnection {
  readonly index: number
  readonly request: MockRequest
  readonly ended: Promise<void>
  readonly #parts: ConnectionParts
  readonly #socket: WebSocket
  readonly #sends: DelayedSends
  // Unbounded on purpose: a test may inspect all that was received, and is short.
  readonly #received: MockMessage[] = []
  #closed: MockClose | undefined
  #error: Error | undefined
  #pings = 0
  #pongs = 0

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.index = parts.index
    this.request = parts.request
    this.#socket = parts.socket
    this.#sends = new DelayedSends(parts.clock, () => parts.link.delayMs)
    this.ended = new Promise((resolve) => this.#listen(resolve))
    if (parts.link.stalled) this.stall()
  }

  get subprotocol(): string {
    return this.#socket.protocol
  }

  get received(): readonly MockMessage[] {
    return this.#received
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  get closed(): MockClose | undefined {
    return this.#closed
  }

  get error(): Error | undefined {
    return this.#error
  }

  get pings(): number {
    return this.#pings
  }

  get pongs(): number {
    return this.#pongs
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount
  }

  send(data: MockData): boolean {
    const frame = toFrame(data)
    return this.#post(() => this.#socket.send(frame))
  }

  ping(data: string | Uint8Array = ''): boolean {
    return this.#post(() => this.#socket.ping(data))
  }

  close(code = 1000, reason = ''): boolean {
    assertCloseFrame(code, reason)
    return this.#post(() => this.#socket.close(code, reason))
  }

  reset(): void {
    this.#parts.wire.reset()
  }

  sendRaw(bytes: Uint8Array): void {
    this.#parts.wire.write(bytes)
  }

  waitForClose(options: WaitForOptions = {}): Promise<MockClose> {
    return this.#parts.waits.until(() => this.#closed, {
      what: `connection ${this.index} to close`,
      timeoutMs: options.timeoutMs ?? DEFAULT_WAIT_MS,
      signal: options.signal,
    })
  }

  /** Stops reading: what the client sends fills the buffers of the system. */
  stall(): void {
    this.#socket.pause()
  }

  /** Reads again. */
  unstall(): void {
    this.#socket.resume()
  }

  /** Ends the connection without a closing handshake. */
  terminate(): void {
    this.#socket.terminate()
  }

  #post(run: () => void): boolean {
    if (!this.isOpen) return false
    this.#sends.post(() => {
      if (this.isOpen) run()
    })
    return true
  }

  #listen(ended: () => void): void {
    const { waits, wire } = this.#parts
    const keep = (error: Error): void => {
      this.#error ??= error
    }
    wire.onError(keep) // ws reports only errors of the protocol
    this.#socket.on('error', keep)
    this.#socket.on('message', (data, isBinary) => this.#capture(data as Buffer, isBinary))
    this.#socket.on('ping', (data) => {
      this.#pings++
      if (!this.#parts.link.withholdPongs) this.#post(() => this.#socket.pong(data))
      waits.notify()
    })
    this.#socket.on('pong', () => {
      this.#pongs++
      waits.notify()
    })
    this.#socket.on('close', (code, reason) => {
      this.#sends.cancel()
      this.#closed = { code, reason: reason.toString('utf8'), wasClean: code !== 1006 }
      ended()
      waits.notify()
    })
  }

  #capture(data: Buffer, isBinary: boolean): void {
    const message = toMessage(data, isBinary, this.index)
    this.#received.push(message)
    this.#parts.onMessage(message, this)
  }
}

interface Delayed {
  readonly due: number
  readonly run: () => void
}

/**
 * Runs each posted send after the delay of its moment, in the order of posting.
 * It is bounded only by what the test sends within one delay.
 */
class DelayedSends {
  readonly #clock: Clock
  readonly #delayMs: () => number
  #waiting: Delayed[] = []
  #timer: Timer | undefined

  constructor(clock: Clock, delayMs: () => number) {
    this.#clock = clock
    this.#delayMs = delayMs
  }

  /** Runs now if there is no delay and nothing is ahead. */
  post(run: () => void): void {
    const delayMs = this.#delayMs()
    if (delayMs === 0 && this.#waiting.length === 0) return run()
    this.#waiting.push({ due: this.#clock.now() + delayMs, run })
    this.#arm()
  }

  /** Gives up what has not been sent. */
  cancel(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting = []
  }

  #arm(): void {
    const head = this.#waiting[0]
    if (head === undefined || this.#timer !== undefined) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      this.#waiting.shift()
      head.run()
      this.#arm()
    }, head.due - this.#clock.now())
  }
}
