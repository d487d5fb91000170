/** A connection that speaks `bus.v1`, from its first line to its close. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '@bus/core'
import type { WebSocket } from 'ws'
import {
  byeLine,
  readClientMessage,
  type ClientReceiver,
  type PublishLine,
} from '../../../protocol/bus-v1/lines.ts'
import type { LineFault } from '../../../protocol/bus-v1/limits.ts'
import type { Hello, WireSubscription } from '../../../protocol/bus-v1/hello.ts'
import { HubConnection } from '../../hub-connection.ts'
import type { ConnectionLimiter } from '../../connection-limiter.ts'
import type { Excess, Metering } from '../../metering.ts'
import type { KeepaliveScheduler } from '../../keepalive.ts'
import type { Counters } from '../stats.ts'
import type { Principal } from '../admission/authenticator.ts'
import type { MessageOutlet } from '../sessions/subscriber-session.ts'

/** Bytes that may wait in one socket before nothing more is put into it. */
const HIGH_WATER_MARK_BYTES = 1_048_576
/** Bytes that may wait in one socket at all. */
const MAX_BUFFERED_BYTES = 2 * HIGH_WATER_MARK_BYTES

/** The shortest time that a client that sent too much has to stay away. */
const MIN_WAIT_MS = 1_000

/** What a connection needs of its hub. */
export interface ConnectionHost {
  readonly clock: Clock
  readonly helloMs: number
  readonly keepalive: KeepaliveScheduler
  readonly metering: Metering
  /** Every event is read into it, one after the other. */
  readonly line: PublishLine
  /** Whether the handshake of a connection is needed again when it shows fresh credentials. */
  readonly keepsRequests: boolean
  /** Authenticates the connection and welcomes it, or closes it. */
  greet(connection: Connection, hello: Hello): void
  /** Fresh credentials. */
  authenticate(connection: Connection, token: string): void
  readonly counters: Pick<Counters, 'protocolErrors' | 'badFrames'>
  left(connection: Connection, isForGood: boolean): void
}

/** What was received of the client so far. */
type State =
  | { readonly name: 'new' }
  | { readonly name: 'greeting' }
  | { readonly name: 'ready'; readonly receiver: AuthenticatedReceiver }

const TEXT = Object.freeze({ binary: false })

/** Reads lines and sends messages. What the lines mean is up to its {@link AuthenticatedReceiver}. */
export class Connection extends HubConnection implements ClientReceiver, MessageOutlet {
  /** The handshake, as long as it may be needed. */
  request: IncomingMessage | undefined
  /** Who it is, once that is known. */
  principal: Principal | undefined
  readonly #host: ConnectionHost
  #helloTimer: Timer | undefined
  #state: State = { name: 'new' }
  #isStalled = false
  #onWritten: (() => void) | undefined

  constructor(
    ws: WebSocket,
    tcp: Duplex,
    request: IncomingMessage,
    principal: Principal | undefined,
    host: ConnectionHost,
  ) {
    super(ws, tcp, host.metering)
    this.#host = host
    this.request = request
    this.principal = principal
    const tooLate = (): void => this.close(4408, 'hello')
    this.#helloTimer = host.clock.setTimeout(tooLate, host.helloMs)
  }

  get isFull(): boolean {
    if (this.#state.name !== 'ready') return true
    this.#isStalled = this.ws.bufferedAmount >= HIGH_WATER_MARK_BYTES
    return this.#isStalled
  }

  /** Counts as one of the connections of its principal. @param isSuccessor - it replaces one of them */
  reserve(
    limiter: ConnectionLimiter,
    principal: string | undefined,
    isSuccessor: boolean,
  ): boolean {
    this.meter.principal = principal
    return limiter.reserve(this.tcp, principal, isSuccessor)
  }

  /** It is authenticated and has a session. */
  welcome(receiver: AuthenticatedReceiver, text: string): void {
    if (this.isOver || this.#state.name !== 'greeting') return
    this.#clearHelloTimer()
    this.#state = { name: 'ready', receiver }
    this.sendText(text)
    this.#host.keepalive.start(this.keepalive)
    if (!this.#host.keepsRequests) this.request = undefined
  }

  sendText(text: string): void {
    if (this.ws.readyState !== this.ws.OPEN) return
    this.send(text)
    // Answers have no window: a client that keeps asking and reads none of them is cut off.
    if (this.ws.bufferedAmount > MAX_BUFFERED_BYTES) this.terminate()
  }

  send(data: Buffer | string): void {
    if (this.ws.readyState !== this.ws.OPEN) return
    this.ws.send(data, TEXT, this.#listener(data.length))
  }

  /** What still comes in does not count. */
  override close(code: number, reason: string): void {
    this.#stopTimers()
    super.close(code, reason)
  }

  /** Says when to come back, then closes. */
  goAway(code: number, reason: string, retryAfterMs: number): void {
    if (this.isOver) return
    this.sendText(byeLine({ code, retryAfterMs }))
    this.close(code, reason)
  }

  exceededLimit(waitMs: number, what: Excess): void {
    this.goAway(4429, what, Math.max(MIN_WAIT_MS, waitMs))
    // What more it sends is not even read; `ws` cuts it when its answer to the close is not seen in time.
    this.ws.pause()
  }

  publish(
    bytes: Buffer,
    from: number,
    to: number,
    line: PublishLine,
    resent: boolean,
  ): LineFault | undefined {
    if (this.#state.name !== 'ready') return this.#tooEarly()
    this.#state.receiver.publish(bytes, from, to, line, resent)
    return undefined
  }

  hello(hello: Hello): LineFault | undefined {
    if (this.#state.name !== 'new') return 'again'
    this.#state = { name: 'greeting' }
    this.#host.greet(this, hello)
    return undefined
  }

  subscribe(sub: WireSubscription): LineFault | undefined {
    if (this.#state.name !== 'ready') return this.#tooEarly()
    return this.#state.receiver.subscribe(sub)
  }

  unsubscribe(id: number): LineFault | undefined {
    if (this.#state.name !== 'ready') return this.#tooEarly()
    this.#state.receiver.unsubscribe(id)
    return undefined
  }

  ack(offset: number): LineFault | undefined {
    if (this.#state.name !== 'ready') return this.#tooEarly()
    this.#state.receiver.ack(offset)
    return undefined
  }

  auth(token: string): LineFault | undefined {
    if (this.#state.name !== 'ready') return this.#tooEarly()
    this.#host.authenticate(this, token)
    return undefined
  }

  bye(): LineFault | undefined {
    if (this.#state.name !== 'ready') return this.#tooEarly()
    this.close(1000, '')
    return undefined
  }

  override ping(payload: string): void {
    super.ping(payload)
    if (this.#state.name === 'ready') this.#state.receiver.sendPosition()
  }

  protected message(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      this.#host.counters.protocolErrors++
      this.close(1003, 'text only')
      return
    }
    const bad = readClientMessage(data, this.#host.line, this)
    if (bad === undefined) return
    this.#host.counters.protocolErrors++
    this.close(4400, `${bad.verb} ${bad.fault}`)
  }

  override onBadFrame(): void {
    this.#host.counters.badFrames++
  }

  override onClose(code: number): void {
    super.onClose(code)
    this.#stopTimers()
    this.#host.left(this, code === 1000)
  }

  /** Called once so many bytes are written; `undefined`, unless so much waits that the connection may have stalled by then. */
  #listener(bytes: number): (() => void) | undefined {
    if (this.ws.bufferedAmount + bytes <= HIGH_WATER_MARK_BYTES / 2) return undefined
    return (this.#onWritten ??= () => this.#written())
  }

  #written(): void {
    if (!this.#isStalled || this.ws.bufferedAmount > HIGH_WATER_MARK_BYTES / 2) return
    this.#isStalled = false
    if (this.#state.name === 'ready' && !this.isOver) this.#state.receiver.wake()
  }

  #tooEarly(): LineFault {
    return this.#state.name === 'greeting' ? 'early' : 'first'
  }

  #stopTimers(): void {
    this.#clearHelloTimer()
    this.#host.keepalive.stop(this.keepalive)
  }

  #clearHelloTimer(): void {
    if (this.#helloTimer !== undefined) this.#host.clock.clearTimeout(this.#helloTimer)
    this.#helloTimer = undefined
  }
}

/** What the lines of an authenticated client do. */
export interface AuthenticatedReceiver {
  publish(bytes: Buffer, from: number, to: number, line: PublishLine, resent: boolean): void
  subscribe(sub: WireSubscription): LineFault | undefined
  unsubscribe(id: number): void
  ack(offset: number): void
  /** The socket takes more again. */
  wake(): void
  /** Sends the subscriber its position, if it does not know it. */
  sendPosition(): void
}
