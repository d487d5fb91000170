/** A peer: one connection, from its first line to its close. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock, Random, Timer } from '@bus/core'
import type { WebSocket } from 'ws'
import { readClientMessage, type ClientReceiver } from '../../protocol/bus-v1/client-message.ts'
import type { LineFault } from '../../protocol/bus-v1/codes.ts'
import type { Hello, WireSubscription } from '../../protocol/bus-v1/hello.ts'
import { publishLine, type PublishLine } from '../../protocol/bus-v1/publish-line.ts'
import { Heartbeat } from '../../socket/heartbeat.ts'
import { closeSafely } from '../../socket/socket-port.ts'
import type { Principal } from './principal.ts'
import type { Outlet } from './pump.ts'

/** Bytes that may wait in one socket before nothing more is put into it. */
const HIGH_WATER_MARK_BYTES = 1_048_576
/** Bytes that may wait in one socket at all. */
const MAX_BUFFERED_BYTES = 2 * HIGH_WATER_MARK_BYTES
/** Pings without any answer that end the link. */
const MAX_MISSED_PINGS = 2

/** Who was welcomed on a connection: what its lines mean. */
export interface Welcomed {
  publish(bytes: Buffer, from: number, to: number, line: PublishLine, resent: boolean): void
  subscribe(sub: WireSubscription): LineFault | undefined
  unsubscribe(id: number): void
  ack(offset: number): void
  /** The socket takes more again. */
  wake(): void
  /** Tells the subscriber how far it is, if it does not know. */
  tellCursor(): void
}

/** What a peer asks of its hub. */
export interface PeerHost {
  readonly clock: Clock
  readonly random: Random
  readonly helloMs: number
  readonly heartbeatMs: number
  /** Says who the peer is and welcomes it, or closes it. */
  greet(peer: Peer, hello: Hello): void
  /** Fresh credentials. */
  authenticate(peer: Peer, token: string): void
  protocolError(): void
  left(peer: Peer): void
}

type State =
  | { readonly name: 'new' }
  | { readonly name: 'greeting' }
  | { readonly name: 'ready'; readonly member: Welcomed }
  | { readonly name: 'closing' }

const TEXT = Object.freeze({ binary: false })

/** Reads lines and sends messages; what they mean decides who is {@link Welcomed}. */
export class Peer implements ClientReceiver, Outlet {
  readonly request: IncomingMessage
  /** Who it is, where the handshake has told already. */
  principal: Principal | undefined
  readonly #ws: WebSocket
  readonly #tcp: Duplex
  readonly #host: PeerHost
  readonly #heartbeat: Heartbeat
  readonly #line: PublishLine = publishLine()
  #helloTimer: Timer | undefined
  #state: State = { name: 'new' }
  #isStalled = false

  constructor(
    ws: WebSocket,
    tcp: Duplex,
    request: IncomingMessage,
    principal: Principal | undefined,
    host: PeerHost,
  ) {
    this.#ws = ws
    this.#tcp = tcp
    this.#host = host
    this.request = request
    this.principal = principal
    const { clock, random, heartbeatMs, helloMs } = host
    this.#heartbeat = new Heartbeat(
      { ping: (payload) => this.#ping(payload), lost: () => ws.terminate() },
      { intervalMs: heartbeatMs, timeoutMs: heartbeatMs, maxMissed: MAX_MISSED_PINGS },
      { clock, random },
    )
    this.#helloTimer = clock.setTimeout(() => this.close(4408, 'hello'), helloMs)
    ws.on('message', (data, isBinary) => this.#read(data as Buffer, isBinary))
    ws.on('pong', (data) => this.#heartbeat.pong(data.toString('latin1')))
    ws.on('ping', () => this.#heartbeat.inbound())
    // What broke ends this connection only; `close` follows.
    ws.on('error', () => {})
    ws.on('close', () => this.#closed())
  }

  get isOver(): boolean {
    return this.#state.name === 'closing'
  }

  get isFull(): boolean {
    if (this.#state.name !== 'ready') return true
    this.#isStalled = this.#ws.bufferedAmount >= HIGH_WATER_MARK_BYTES
    return this.#isStalled
  }

  /** The hub knows who it is. */
  welcome(member: Welcomed, text: string): void {
    if (this.#state.name !== 'greeting') return
    this.#clearHelloTimer()
    this.#state = { name: 'ready', member }
    this.sendText(text)
    this.#heartbeat.start()
  }

  sendText(text: string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#ws.send(text, TEXT, this.#written)
    // Answers have no window: whoever asks on and on and reads none of them is cut off.
    if (this.#ws.bufferedAmount > MAX_BUFFERED_BYTES) this.#ws.terminate()
  }

  sendLines(data: Buffer): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(data, TEXT, this.#written)
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

  readonly #written = (): void => {
    if (!this.#isStalled || this.#ws.bufferedAmount > HIGH_WATER_MARK_BYTES / 2) return
    this.#isStalled = false
    this.#welcomed?.wake()
  }

  #read(data: Buffer, isBinary: boolean): void {
    this.#heartbeat.inbound()
    if (this.isOver) return
    if (isBinary) {
      this.#host.protocolError()
      this.close(1003, 'text only')
      return
    }
    const bad = readClientMessage(data, this.#line, this)
    if (bad === undefined) return
    this.#host.protocolError()
    this.close(4400, `${bad.verb} ${bad.fault}`)
  }

  get #welcomed(): Welcomed | undefined {
    return this.#state.name === 'ready' ? this.#state.member : undefined
  }

  #tooEarly(): LineFault {
    return this.#state.name === 'greeting' ? 'early' : 'first'
  }

  #ping(payload: string): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping(payload)
    this.#welcomed?.tellCursor()
  }

  #enterClosing(): void {
    this.#state = { name: 'closing' }
    this.#clearHelloTimer()
    this.#heartbeat.stop()
  }

  #closed(): void {
    this.#enterClosing()
    this.#host.left(this)
  }

  #clearHelloTimer(): void {
    if (this.#helloTimer !== undefined) this.#host.clock.clearTimeout(this.#helloTimer)
    this.#helloTimer = undefined
  }
}
