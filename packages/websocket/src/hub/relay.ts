/** The relay of the plain wire: every frame goes to every other connection, as fast as the slowest reader that is still alive. */

import type { Duplex } from 'node:stream'
import type { Clock } from '@bus/core'
import type { TokenBalance } from '@bus/core/kit'
import Denque from 'denque'
import type { WebSocket } from 'ws'
import type { HubSession } from './hub-session.ts'
import type { RelayStats } from './hub-stats.ts'
import { countedName, type Principal } from './bus-v1/admission/authenticator.ts'
import { newBalance, type Excess, type Metering } from './metering.ts'
import { HubConnection } from './hub-connection.ts'
import type { KeepaliveScheduler } from './keepalive.ts'

// Of the process, not what a test puts in its place.
const { setImmediate } = globalThis

export interface RelayOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly keepalive: KeepaliveScheduler
  /** Frames above it are refused. */
  readonly maxFrameBytes: number
  /** Frames that a connection may send in a second. */
  readonly framesPerSecond: number
  readonly highWaterMarkBytes: number
  readonly slowReaderMs: number
  readonly metering: Metering
  /** A frame came in. */
  readonly onFrame: (data: Buffer, isBinary: boolean) => void
  /** Broadcasts need not wait any more. */
  readonly onRoom: () => void
}

/** Frames of `bus.v1` that may wait to be sent. */
const MAX_BROADCASTS = 64

/** The principal of a connection. */
interface Owner {
  readonly id: string
  readonly endsAt: number
  /** When it came. */
  readonly since: number
}

/**
 * Buffers no frame itself: what waits, waits in the readers' sockets, and then the senders are paused.
 *
 * A full reader pauses all senders but itself: what it sends does not go to it, and a client that reads on only once its own
 * publish is through would wait for ever.
 */
export class Relay {
  readonly #options: RelayOptions
  /** All connections share them. */
  readonly #ports: PlainConnectionPorts
  readonly #connections = new Map<PlainConnection, Owner>()
  readonly #fanOut = new FanOut<PlainConnection>(this.#connections, (from) => this.#onSent(from))
  /** Frames of a connection that were not sent to every other one yet. */
  readonly #underWay = new Map<PlainConnection, number>()
  /** Readers above the high-water mark, each with the timer that cuts it off. */
  readonly #full = new Map<PlainConnection, NodeJS.Timeout>()
  readonly #emptyWaiters: (() => void)[] = []
  /** Whether a connection is connected. A field, as the next one: both are read for each event of `bus.v1`. Set here only. */
  hasPlainConnections = false
  /** Whether too many broadcasts wait, so that every publisher should wait. */
  isFull = false
  #received = 0
  #relayed = 0
  #lost = 0
  #skipped = 0
  #refused = 0
  #slowReaders = 0
  #badFrames = 0

  constructor(options: RelayOptions) {
    this.#options = options
    this.#ports = {
      highWaterMarkBytes: options.highWaterMarkBytes,
      metering: options.metering,
      message: (from, data, isBinary) => this.#relay(from, data, isBinary),
      full: (connection) => this.#onFull(connection),
      drained: (connection) => this.#onDrained(connection),
      relayed: () => this.#relayed++,
      lost: () => this.#lost++,
      skipped: () => this.#skipped++,
      badFrame: () => this.#badFrames++,
      closed: (connection) => this.#onClosed(connection),
    }
  }

  /** @param endsAt - when the credentials of the principal end, by the hub's clock */
  add(ws: WebSocket, tcp: Duplex, principal: Principal, endsAt: number): void {
    const connection = new PlainConnection(ws, tcp, countedName(principal), this.#ports)
    const since = this.#options.clock.now()
    this.#connections.set(connection, { id: principal.id, endsAt, since })
    this.hasPlainConnections = true
    connection.start(this.#options.keepalive)
    this.#pauseOrResume(connection)
  }

  get size(): number {
    return this.#connections.size
  }

  /** Sends a text frame to every connection but those that are above the high-water mark. */
  broadcast(data: Buffer): void {
    this.#fanOut.send(data, false, undefined)
    this.#updateFull()
  }

  /** One for each connection, `since` by the hub's clock. */
  sessions(): HubSession[] {
    return Array.from(this.#connections, ([{ address }, { id, since }]) => ({
      principal: id,
      wire: 'plain' as const,
      isConnected: true,
      address,
      since,
      subscriptions: 0,
      unacknowledged: 0,
      behind: 0,
      isGivenUp: false,
    }))
  }

  stats(): RelayStats {
    return {
      connections: this.#connections.size,
      received: this.#received,
      relayed: this.#relayed,
      lost: this.#lost,
      skipped: this.#skipped,
      refused: this.#refused,
      slowReaders: this.#slowReaders,
      badFrames: this.#badFrames,
    }
  }

  closeAll(code: number, reason: string): void {
    this.#fanOut.flush()
    for (const connection of this.#connections.keys()) connection.close(code, reason)
  }

  closeAllOf(owner: string, code: number, reason: string): void {
    for (const [connection, { id }] of this.#connections)
      if (id === owner) connection.close(code, reason)
  }

  /** Closes the connections whose credentials ended a while ago; on this wire there is no way to send fresh ones. */
  endExpired(now: number): void {
    for (const [connection, { endsAt }] of this.#connections)
      if (now >= endsAt) connection.close(4401, 'expired')
  }

  /** Resolves when no connection is left. */
  whenEmpty(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#emptyWaiters.push(resolve)
    })
  }

  #onClosed(connection: PlainConnection): void {
    this.#connections.delete(connection)
    this.#underWay.delete(connection)
    if (this.#connections.size > 0) return
    this.hasPlainConnections = false
    for (const resolve of this.#emptyWaiters.splice(0)) resolve()
  }

  #relay(from: PlainConnection, data: Buffer, isBinary: boolean): void {
    const { clock, maxFrameBytes, framesPerSecond } = this.#options
    this.#received++
    if (data.length > maxFrameBytes || !from.mayPublish(clock.now(), framesPerSecond)) {
      this.#refused++
      return
    }
    if (!this.#fanOut.send(data, isBinary, from)) {
      this.#underWay.set(from, (this.#underWay.get(from) ?? 0) + 1)
      this.#pauseOrResume(from)
    }
    this.#options.onFrame(data, isBinary)
  }

  #onSent(from: PlainConnection | undefined): void {
    const underWay = from && this.#underWay.get(from)
    if (from !== undefined && underWay !== undefined) {
      if (underWay > 1) this.#underWay.set(from, underWay - 1)
      else {
        this.#underWay.delete(from)
        this.#pauseOrResume(from)
      }
    }
    this.#updateFull()
    if (!this.isFull) this.#options.onRoom()
  }

  #onFull(connection: PlainConnection): void {
    const timer = setTimeout(() => {
      this.#slowReaders++
      connection.terminate()
    }, this.#options.slowReaderMs)
    this.#full.set(connection, timer)
    // With two, every sender is paused already.
    if (this.#full.size <= 2) this.#pauseOrResumeAll()
  }

  #onDrained(connection: PlainConnection): void {
    clearTimeout(this.#full.get(connection))
    this.#full.delete(connection)
    if (this.#full.size < 2) this.#pauseOrResumeAll()
  }

  #updateFull(): void {
    this.isFull = this.#fanOut.unowned >= MAX_BROADCASTS
  }

  #pauseOrResumeAll(): void {
    for (const sender of this.#connections.keys()) this.#pauseOrResume(sender)
  }

  /** Pauses this connection while another one is full, or has not had what this one sent. */
  #pauseOrResume(connection: PlainConnection): void {
    const others = this.#full.size - (this.#full.has(connection) ? 1 : 0)
    if (others > 0 || this.#underWay.has(connection)) connection.pause()
    else connection.resume()
  }
}

/** What a plain connection reports to the relay. */
export interface PlainConnectionPorts {
  readonly highWaterMarkBytes: number
  readonly metering: Metering
  message(from: PlainConnection, data: Buffer, isBinary: boolean): void
  /** More waits for this reader than the high-water mark. */
  full(connection: PlainConnection): void
  /** Little enough waits for it again. */
  drained(connection: PlainConnection): void
  relayed(): void
  /** A frame that the operating system never took, because the link broke. */
  lost(): void
  /** A frame of `bus.v1` that it did not get, because too much waits for it. */
  skipped(): void
  badFrame(): void
  closed(connection: PlainConnection): void
}

/** Sends frames as they came, and can stop reading. */
export class PlainConnection extends HubConnection {
  readonly #ports: PlainConnectionPorts
  #isFull = false
  #keepaliveScheduler: KeepaliveScheduler | undefined
  #rate: TokenBalance | undefined
  /** Times that it was looked at while it could not be heard. */
  #unheard = 0
  /** One callback per connection, not per frame. */
  readonly #done: (error?: Error | null) => void

  /** @param principal - who sends, if it has a name of its own */
  constructor(
    ws: WebSocket,
    tcp: Duplex,
    principal: string | undefined,
    ports: PlainConnectionPorts,
  ) {
    super(ws, tcp, ports.metering)
    this.#ports = ports
    this.meter.principal = principal
    this.#done = (error) => {
      // Node calls back a write that was under way when its socket was destroyed as if it had succeeded.
      if ((error === undefined || error === null) && !tcp.destroyed) ports.relayed()
      else ports.lost()
      if (this.#isFull && ws.bufferedAmount <= ports.highWaterMarkBytes / 2) this.#drained()
    }
  }

  /** Pings it from now on. */
  start(keepalive: KeepaliveScheduler): void {
    this.#keepaliveScheduler = keepalive
    keepalive.start(this.keepalive)
  }

  /** While we do not read, it cannot be heard, and is taken for alive. */
  override received(): number {
    if (this.ws.isPaused) this.#unheard++
    return super.received() + this.#unheard
  }

  /** Whether it may publish one more frame in this second. */
  mayPublish(now: number, perSecond: number): boolean {
    if (perSecond === Infinity) return true
    this.#rate ??= newBalance(perSecond, now)
    return this.#rate.take(now, 1)
  }

  /** @param mayWait - its sender waits for those who are slow; without that a full reader is left out */
  send(data: Buffer, isBinary: boolean, mayWait: boolean): void {
    if (this.#isFull && !mayWait) {
      this.#ports.skipped()
      return
    }
    if (!this.#isOpen) {
      // On a socket that closes, ws would count the bytes as buffered and never take them off again.
      this.#ports.lost()
      return
    }
    this.ws.send(data, { binary: isBinary }, this.#done)
    if (this.#isFull || this.ws.bufferedAmount <= this.#ports.highWaterMarkBytes) return
    this.#isFull = true
    this.#ports.full(this)
  }

  /** Stops reading. A connection that closes is read on: it would not see the end otherwise. */
  pause(): void {
    if (this.#isOpen && !this.ws.isPaused) this.ws.pause()
  }

  resume(): void {
    if (this.ws.isPaused) this.ws.resume()
  }

  override close(code: number, reason: string): void {
    // A paused socket would not see the answer.
    this.resume()
    super.close(code, reason)
  }

  exceededLimit(_waitMs: number, what: Excess): void {
    this.close(4429, what)
    // What more it sends is not even read; `ws` cuts it when its answer to the close is not seen in time.
    this.ws.pause()
  }

  protected message(data: Buffer, isBinary: boolean): void {
    this.#ports.message(this, data, isBinary)
  }

  override onBadFrame(): void {
    this.#ports.badFrame()
  }

  override onClose(code: number): void {
    super.onClose(code)
    this.#keepaliveScheduler?.stop(this.keepalive)
    if (this.#isFull) this.#drained()
    this.#ports.closed(this)
  }

  get #isOpen(): boolean {
    return this.ws.readyState === this.ws.OPEN
  }

  #drained(): void {
    this.#isFull = false
    this.#ports.drained(this)
  }
}

/** Connections that a frame is sent to before others get to read again. */
const CONNECTIONS_AT_ONCE = 512

/** Where a frame is sent. */
export interface FrameReceiver {
  /** @param mayWait - the frame has a sender, which waits for those who are slow */
  send(data: Buffer, isBinary: boolean, mayWait: boolean): void
}

interface Round<P> {
  readonly data: Buffer
  readonly isBinary: boolean
  /** The sender; `undefined`: it came from `bus.v1` or the backend. */
  readonly from: P | undefined
  /** The connections that have not had it; those that close meanwhile drop out. */
  readonly remaining: Iterator<P>
}

/**
 * Sends frames to all connections, some at a time. Bounded by the senders: each is paused until its frame was sent to every other
 * connection. For frames without a sender the relay reads {@link FanOut.unowned}.
 */
export class FanOut<P extends FrameReceiver> {
  readonly #connections: ReadonlyMap<P, unknown>
  readonly #onDone: (from: P | undefined) => void
  readonly #rounds = new Denque<Round<P>>()
  #unowned = 0

  /** @param onDone - called when a frame that could not be sent at once was sent to every connection */
  constructor(connections: ReadonlyMap<P, unknown>, onDone: (from: P | undefined) => void) {
    this.#connections = connections
    this.#onDone = onDone
  }

  /** Whether every frame was sent to every connection. */
  get isIdle(): boolean {
    return this.#rounds.length === 0
  }

  /** Frames without a sender that were not sent to every connection yet. */
  get unowned(): number {
    return this.#unowned
  }

  /** Sends a frame to every connection but `from`. @returns `false`: some of them get it later, and `from` should wait */
  send(data: Buffer, isBinary: boolean, from: P | undefined): boolean {
    if (this.isIdle && this.#connections.size <= CONNECTIONS_AT_ONCE) {
      for (const connection of this.#connections.keys())
        if (connection !== from) connection.send(data, isBinary, from !== undefined)
      return true
    }
    const isFirst = this.isIdle
    if (from === undefined) this.#unowned++
    this.#rounds.push({ data, isBinary, from, remaining: this.#connections.keys() })
    if (isFirst) setImmediate(this.#serve)
    return false
  }

  /** Sends everything to every connection now. */
  flush(): void {
    for (
      let round = this.#rounds.peekFront();
      round !== undefined;
      round = this.#rounds.peekFront()
    ) {
      this.#go(round, Infinity)
    }
  }

  readonly #serve = (): void => {
    const round = this.#rounds.peekFront()
    if (round === undefined) return
    this.#go(round, CONNECTIONS_AT_ONCE)
    if (!this.isIdle) setImmediate(this.#serve)
  }

  #go({ data, isBinary, from, remaining }: Round<P>, count: number): void {
    for (let served = 0; served < count; served++) {
      const { value: connection, done } = remaining.next()
      if (done === true) {
        this.#rounds.shift()
        if (from === undefined) this.#unowned--
        this.#onDone(from)
        return
      }
      if (connection !== from) connection.send(data, isBinary, from !== undefined)
    }
  }
}
