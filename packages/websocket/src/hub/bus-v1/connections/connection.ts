/** A connection: one connection, from its first line to its close. */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '@bus/core'
import type { WebSocket } from 'ws'
import { byeLine } from '../../../protocol/bus-v1/lines.ts'
import {
  readClientMessage,
  type ClientReceiver,
  type PublishLine,
} from '../../../protocol/bus-v1/lines.ts'
import type { LineFault } from '../../../protocol/bus-v1/limits.ts'
import type { Hello, WireSubscription } from '../../../protocol/bus-v1/hello.ts'
import { closeSafely } from '../../../socket/socket-port.ts'
import {
  Meter,
  type Excess,
  type Metered,
  type Metering,
  type ConnectionLimiter,
} from '../../metering.ts'
import { own, type SocketOwner } from '../../socket-owner.ts'
import { KeepaliveState, type KeepaliveTarget, type KeepaliveScheduler } from './keepalive.ts'
import type { Counters } from '../stats.ts'
import type { Principal } from '../admission/authenticator.ts'
import type { MessageOutlet } from '../sessions/subscriber-session.ts'

/** Bytes that may wait in one socket before nothing more is put into it. */
const HIGH_WATER_MARK_BYTES = 1_048_576
/** Bytes that may wait in one socket at all. */
const MAX_BUFFERED_BYTES = 2 * HIGH_WATER_MARK_BYTES

/** The soonest that somebody who sent too much may come back. */
const MIN_WAIT_MS = 1_000

/** What a connection asks of its hub. */
export interface ConnectionHost {
  readonly clock: Clock
  readonly helloMs: number
  readonly keepalive: KeepaliveScheduler
  readonly metering: Metering
  /** Every event is read into it, one after the other. */
  readonly line: PublishLine
  /** Whether the handshake of a connection is looked at again when it shows fresh credentials. */
  readonly keepsRequests: boolean
  /** Says who the connection is and welcomes it, or closes it. */
  greet(connection: Connection, hello: Hello): void
  /** Fresh credentials. */
  authenticate(connection: Connection, token: string): void
  readonly counters: Pick<Counters, 'protocolErrors' | 'badFrames'>
  left(connection: Connection): void
}

type State =
  | { readonly name: 'new' }
  | { readonly name: 'greeting' }
  | { readonly name: 'ready'; readonly member: AuthenticatedReceiver }
  | { readonly name: 'closing' }

const TEXT = Object.freeze({ binary: false })

/** Reads lines and sends messages; what they mean decides who is {@link AuthenticatedReceiver}. */
export class Connection
  implements ClientReceiver, MessageOutlet, KeepaliveTarget, Metered, SocketOwner
{
  /** The handshake; let go of when nobody will look at it any more. */
  request: IncomingMessage | undefined
  /** Who it is, where the handshake has told already. */
  principal: Principal | undefined
  readonly #ws: WebSocket
  readonly #tcp: Duplex
  readonly #host: ConnectionHost
  readonly #keepalive = new KeepaliveState(this)
  readonly #meter: Meter
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
    this.#ws = ws
    this.#tcp = tcp
    this.#host = host
    this.#meter = new Meter(host.metering, this)
    this.request = request
    this.principal = principal
    const tooLate = (): void => this.close(4408, 'hello')
    this.#helloTimer = host.clock.setTimeout(tooLate, host.helloMs)
    own(ws, this)
  }

  get isOver(): boolean {
    return this.#state.name === 'closing'
  }

  get isFull(): boolean {
    if (this.#state.name !== 'ready') return true
    this.#isStalled = this.#ws.bufferedAmount >= HIGH_WATER_MARK_BYTES
    return this.#isStalled
  }

  /** Takes one of the places of its principal. @param isSuccessor - it is about to be free */
  takePlace(
    places: ConnectionLimiter,
    principal: string | undefined,
    isSuccessor: boolean,
  ): boolean {
    this.#meter.principal = principal
    return places.reserve(this.#tcp, principal, isSuccessor)
  }

  /** The hub knows who it is. */
  welcome(member: AuthenticatedReceiver, text: string): void {
    if (this.#state.name !== 'greeting') return
    this.#clearHelloTimer()
    this.#state = { name: 'ready', member }
    this.sendText(text)
    this.#host.keepalive.start(this.#keepalive)
    if (!this.#host.keepsRequests) this.request = undefined
  }

  sendText(text: string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#ws.send(text, TEXT, this.#listener(text.length))
    // Answers have no window: whoever asks on and on and reads none of them is cut off.
    if (this.#ws.bufferedAmount > MAX_BUFFERED_BYTES) this.#ws.terminate()
  }

  sendLines(data: Buffer): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#ws.send(data, TEXT, this.#listener(data.length))
  }

  /** Holds back what is sent until {@link uncork}, so that it leaves in one write. */
  cork(): void {
    this.#tcp.cork()
  }

  uncork(): void {
    this.#tcp.uncork()
  }

  /** Starts the closing handshake; what still comes in does not count. */
  close(code: number, reason: string): void {
    if (this.#state.name === 'closing') return
    this.#enterClosing()
    closeSafely(this.#ws, code, reason)
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
    this.#ws.pause()
  }

  publish(
    bytes: Buffer,
    from: number,
    to: number,
    line: PublishLine,
    resent: boolean,
  ): LineFault | undefined {
    if (this.#state.name !== 'ready') return this.#tooEarly()
    this.#state.member.publish(bytes, from, to, line, resent)
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
    return this.#state.member.subscribe(sub)
  }

  unsubscribe(id: number): LineFault | undefined {
    if (this.#state.name !== 'ready') return this.#tooEarly()
    this.#state.member.unsubscribe(id)
    return undefined
  }

  ack(offset: number): LineFault | undefined {
    if (this.#state.name !== 'ready') return this.#tooEarly()
    this.#state.member.ack(offset)
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

  ping(payload: string): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping(payload)
    this.#welcomed?.tellCursor()
  }

  received(): number {
    // What is no socket of the system does not count them.
    const { bytesRead = 0 } = this.#tcp as Partial<Socket>
    return bytesRead
  }

  /** It answers no ping. */
  lost(): void {
    this.#ws.terminate()
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    this.#keepalive.inbound()
    if (this.isOver || !this.#meter.message(data.length)) return
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

  onPing(): void {
    this.#keepalive.inbound()
    if (!this.isOver) this.#meter.controlFrame()
  }

  onPong(payload: Buffer): void {
    this.#keepalive.pong(payload.toString('latin1'))
    if (!this.isOver) this.#meter.controlFrame()
  }

  onBadFrame(): void {
    this.#host.counters.badFrames++
  }

  onClose(): void {
    this.#enterClosing()
    this.#host.left(this)
  }

  /** Who hears that so many bytes were written: nobody, unless so much waits that the connection may have stalled by then. */
  #listener(bytes: number): (() => void) | undefined {
    if (this.#ws.bufferedAmount + bytes <= HIGH_WATER_MARK_BYTES / 2) return undefined
    return (this.#onWritten ??= () => this.#written())
  }

  #written(): void {
    if (!this.#isStalled || this.#ws.bufferedAmount > HIGH_WATER_MARK_BYTES / 2) return
    this.#isStalled = false
    this.#welcomed?.wake()
  }

  get #welcomed(): AuthenticatedReceiver | undefined {
    return this.#state.name === 'ready' ? this.#state.member : undefined
  }

  #tooEarly(): LineFault {
    return this.#state.name === 'greeting' ? 'early' : 'first'
  }

  #enterClosing(): void {
    this.#state = { name: 'closing' }
    this.#clearHelloTimer()
    this.#host.keepalive.stop(this.#keepalive)
  }

  #clearHelloTimer(): void {
    if (this.#helloTimer !== undefined) this.#host.clock.clearTimeout(this.#helloTimer)
    this.#helloTimer = undefined
  }
}

/** Who was welcomed on a connection: what its lines mean. */
export interface AuthenticatedReceiver {
  publish(bytes: Buffer, from: number, to: number, line: PublishLine, resent: boolean): void
  subscribe(sub: WireSubscription): LineFault | undefined
  unsubscribe(id: number): void
  ack(offset: number): void
  /** The socket takes more again. */
  wake(): void
  /** Tells the subscriber how far it is, if it does not know. */
  tellCursor(): void
}
