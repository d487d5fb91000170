/** The link: one WebSocket connection from its first listener to its close, with keepalive and awaited answers. */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { DisconnectedError, BootstrapError, BusError, type ErrorKind } from '@bus/core'
import { SUBPROTOCOL } from '../../protocol/bus-v1/limits.ts'
import type { Frame, PlainProtocol, ProtocolLink, SessionLink } from '../../protocol/protocol.ts'
import { Heartbeat, type HeartbeatStats } from '../../socket/heartbeat.ts'
import { closeSafely, isBadFrame } from '../../socket/socket-port.ts'
import { ApplicationHeartbeat } from '../frames/application-heartbeat.ts'
import { Answers } from '../frames/answers.ts'
import type { FrameTap, SocketBytes, TrafficPort } from '../frames/frame-tap.ts'
import type { ConnectionWatch } from '../options/connection-watch.ts'
import type { ResolvedOptions } from '../options/options.ts'

/** What a link needs of a `ws` socket. Written out, so that no declaration of ours needs the types of `ws`. */
export interface ClientSocket {
  readonly protocol: string
  readonly readyState: number
  readonly OPEN: number
  readonly bufferedAmount: number
  readonly isPaused: boolean
  on(event: string, listener: (...args: never[]) => void): unknown
  send(
    data: Frame,
    options: { readonly binary: boolean },
    done: (error?: Error | null) => void,
  ): void
  ping(payload: string): void
  pause(): void
  resume(): void
  close(code: number, reason: string): void
  terminate(): void
}

/** How a connection ended. */
export interface CloseInfo {
  /** The close code received; 1006 when the link broke without one. */
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
  readonly initiatedBy: 'local' | 'remote'
  /** What broke, where there was an error. */
  readonly error: Error | undefined
}

/** Where a link passes on what comes. */
export interface LinkPorts {
  /** A frame that is no awaited answer. */
  frame(frame: Frame): void
  /** A text message that is no awaited answer, as bytes. `undefined`: {@link frame} gets it as a string. */
  readonly text: ((bytes: Buffer) => void) | undefined
  /** Sees every frame first. */
  readonly tap: Pick<FrameTap, 'frame' | 'isWatched'>
  /** Gets figures and messages of the socket. */
  readonly traffic?: TrafficPort | undefined
  /** The profile of the application's own heartbeats threw. */
  profileFailed(error: unknown): void
  /** Something went wrong on the link, and no caller is waiting for it. */
  report(kind: ErrorKind, error: Error): void
  /** A ping stayed without an answer. */
  missed(info: { readonly silentMs: number; readonly missed: number }): void
}

interface LinkOptions extends Pick<
  ResolvedOptions,
  'heartbeat' | 'idleTimeoutMs' | 'clock' | 'random' | 'applicationHeartbeat' | 'unref'
> {
  /** Where the connection leads. */
  readonly url: string
}

/**
 * Everything that belongs to one connection ends with it; a link never reconnects. It listens to its socket from the
 * moment that the socket is made, and keeps what comes until {@link Link.start}.
 */
export class Link implements SessionLink {
  /** Resolves when the connection is over; never rejects. */
  readonly closed: Promise<CloseInfo>
  readonly #socket: ClientSocket
  readonly #options: LinkOptions
  readonly #ports: LinkPorts
  /** Sees all that goes over the connection. */
  readonly #watch: ConnectionWatch | undefined
  readonly #answers: Answers
  readonly #heartbeat: Heartbeat
  readonly #ended = new AbortController()
  #applicationHeartbeat: ApplicationHeartbeat | undefined
  #generation = 0
  #tcp: Socket | undefined
  /** When the last frame came: data, ping or pong. */
  #inboundAt = -Infinity
  /** Frames that came before {@link start}, in order. */
  #early: Frame[] | undefined = []
  #isSilent = true
  #isHeld = false
  #isPaused = false
  #isClosedLocally = false
  /** What broke the socket. */
  #error: Error | undefined
  /** Why we gave the link up. */
  #lost: BusError | undefined
  #closeInfo: CloseInfo | undefined
  #resolveClosed: (info: CloseInfo) => void = () => {}

  /** @param socket - open or opening. All of its listeners are attached here, once, and never removed. */
  constructor(
    socket: ClientSocket,
    options: LinkOptions,
    ports: LinkPorts,
    watch?: ConnectionWatch,
  ) {
    this.#socket = socket
    this.#options = options
    this.#ports = ports
    this.#watch = watch
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#answers = new Answers({
      unclaimed: (frame) => ports.frame(frame),
      changed: () => this.#throttle(),
    })
    const { heartbeat, idleTimeoutMs, clock, random } = options
    this.#heartbeat = new Heartbeat(
      {
        ping: (payload) => this.#ping(payload),
        inboundAt: () => this.#inboundAt,
        received: () => this.bytes.received,
        missed: (info) => ports.missed(info),
        lost: (error) => this.fail(error),
      },
      {
        intervalMs: heartbeat === false ? false : heartbeat.intervalMs,
        timeoutMs: heartbeat === false ? 0 : heartbeat.timeoutMs,
        maxMissed: heartbeat === false ? 1 : heartbeat.maxMissed,
        idleTimeoutMs,
      },
      { clock, random },
    )
    this.#listen()
  }

  /** No message has come yet. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  /** Where it leads. */
  get url(): string {
    return this.#options.url
  }

  /** Aborted when the connection is lost, or closed by us. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** The negotiated subprotocol; empty where there is none. */
  get subprotocol(): string {
    return this.#socket.protocol
  }

  /** Which link of its transport this is, from 1; 0 before {@link start}. */
  get generation(): number {
    return this.#generation
  }

  /** Bytes handed to the socket that the operating system has not taken yet. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount
  }

  /** Bytes that went through the socket so far, headers and the handshake included. */
  get bytes(): SocketBytes {
    const tcp = this.#tcp
    return { sent: tcp?.bytesWritten ?? 0, received: tcp?.bytesRead ?? 0 }
  }

  /**
   * The socket is gone. What `write` calls back now says nothing, even without an error: Node calls back a write that was
   * under way when its socket was destroyed as if it had succeeded.
   */
  get isDestroyed(): boolean {
    return this.#tcp?.destroyed === true
  }

  /** Whether reading is stopped, which it is not while an answer is awaited. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Answers that are awaited. */
  get awaited(): number {
    return this.#answers.size
  }

  /** Awaited answers that came. */
  get answered(): number {
    return this.#answers.taken
  }

  /** A sink has no room. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /**
   * The connection is open and belongs to its transport now. What came before, and the end if it is over already, are
   * passed on right after this call: a protocol can wait for a welcome that came along with the handshake.
   */
  start(generation: number): void {
    this.#generation = generation
    this.#applicationHeartbeat = this.#makeApplicationHeartbeat()
    this.#heartbeat.start()
    queueMicrotask(() => {
      const early = this.#early ?? []
      this.#early = undefined
      const { traffic } = this.#ports
      for (const frame of early) {
        traffic?.received(frame, typeof frame !== 'string')
        this.#onFrame(frame)
      }
      if (this.#closeInfo !== undefined) this.#finish(this.#closeInfo)
    })
  }

  /** Frames that are no awaited answer are passed on from now on, although the link is not ready. */
  flow(): void {
    this.#answers.settle()
  }

  /** The link is ready: events flow, and the application's own heartbeats are sent. */
  ready(): void {
    this.#answers.settle()
    if (!this.signal.aborted) this.#applicationHeartbeat?.start()
  }

  heartbeatStats(): HeartbeatStats {
    return this.#heartbeat.stats()
  }

  /** Pings now; resolves with the round trip in milliseconds. */
  probe(options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<number> {
    return this.#heartbeat.probe(options)
  }

  send(frame: Frame): Promise<void> {
    return new Promise((resolve, reject) => {
      this.write(frame, typeof frame !== 'string', (error) => {
        if (error === undefined || error === null) resolve()
        else reject(new DisconnectedError('The link broke while sending', { cause: error }))
      })
    })
  }

  /** Sends one message. `done` is called once: the operating system took it, or with why it did not. */
  write(data: Frame, isBinary: boolean, done: (error?: Error | null) => void): void {
    const { traffic } = this.#ports
    if (traffic !== undefined && (traffic.isCollected || traffic.sentMessages.hasSubscribers)) {
      traffic.sent(data, isBinary)
    }
    this.#watch?.message('out', data, isBinary)
    this.#socket.send(data, { binary: isBinary }, done)
  }

  /** Holds back what is written until {@link uncork}, so that it leaves in one write of the operating system. */
  cork(): void {
    this.#tcp?.cork()
  }

  uncork(): void {
    this.#tcp?.uncork()
  }

  waitFor<T>(match: (frame: Frame) => T | undefined, signal?: AbortSignal): Promise<T> {
    return this.#answers.wait(match, ...both(this.signal, signal))
  }

  report(kind: ErrorKind, error: Error): void {
    this.#ports.report(kind, error)
  }

  /** The link as one request sees it: its waits end with the signal, which ends with the link at the latest. */
  scoped(signal: AbortSignal): ProtocolLink {
    return {
      signal,
      subprotocol: this.subprotocol,
      send: (frame) => this.send(frame),
      waitFor: (match, inner) => this.#answers.wait(match, ...both(signal, inner)),
      report: (kind, error) => this.report(kind, error),
      close: (code, reason) => this.close(code, reason),
    }
  }

  /** Stops reading: a sink has no room. The keepalive does not judge the silence meanwhile. */
  hold(): void {
    this.#isHeld = true
    this.#throttle()
  }

  /** Reads again. */
  release(): void {
    this.#isHeld = false
    this.#throttle()
  }

  /** Begins the closing handshake. Waits on this link end now; frames still come until it is over. */
  close(code: number, reason: string): void {
    this.#end()
    closeSafely(
      {
        close: (safeCode, safeReason) => this.#closeSocket(safeCode, safeReason),
        terminate: () => this.terminate(),
      },
      code,
      reason,
    )
  }

  /** Ends the link at once, for a reason that its close reports. */
  fail(error: BusError): void {
    this.#lost ??= error
    this.terminate()
  }

  /** Ends the connection at once, without a closing handshake. */
  terminate(): void {
    this.#markLocal()
    // A paused socket would never see its end.
    if (this.#socket.isPaused) this.#socket.resume()
    this.#socket.terminate()
  }

  #listen(): void {
    const socket = this.#socket
    const watch = this.#watch
    if (watch !== undefined) socket.on('open', () => watch.opened(socket.protocol))
    socket.on('upgrade', (response: IncomingMessage) => {
      this.#tcp = response.socket
      if (this.#options.unref) response.socket.unref()
    })
    // Without an error listener a bad frame would end the process; `close` always follows.
    socket.on('error', (error: Error) => {
      this.#error ??= error
      // When ws reports a bad frame it has already begun to close because of it.
      if (isBadFrame(error)) this.#isClosedLocally = true
    })
    socket.on('message', this.#onMessage)
    socket.on('ping', (data: Buffer) => {
      this.#inboundAt = this.#options.clock.now()
      watch?.control('in', 'ping', data)
      // ws has answered it.
      watch?.control('out', 'pong', data)
    })
    socket.on('pong', (data: Buffer) => {
      this.#inboundAt = this.#options.clock.now()
      watch?.control('in', 'pong', data)
      const ms = this.#heartbeat.pong(data.toString())
      if (ms !== undefined) this.#ports.traffic?.roundTrip(ms)
    })
    socket.on('close', (code: number, reason: Buffer) => this.#onClose(code, reason.toString()))
  }

  readonly #onMessage = (data: Buffer, isBinary: boolean): void => {
    this.#isSilent = false
    this.#inboundAt = this.#options.clock.now()
    this.#watch?.message('in', data, isBinary)
    if (this.#early !== undefined) {
      this.#early.push(isBinary ? data : data.toString())
      return
    }
    const { text, tap, traffic } = this.#ports
    if (traffic !== undefined && (traffic.isCollected || traffic.receivedMessages.hasSubscribers)) {
      traffic.received(data, isBinary)
    }
    // Every event over `bus.v1` goes this way. Waits and watchers get text as a string.
    if (text !== undefined && !isBinary && !tap.isWatched && this.#answers.isIdle) text(data)
    else this.#onFrame(isBinary ? data : data.toString())
  }

  #onFrame(frame: Frame): void {
    this.#ports.tap.frame(frame)
    if (this.#applicationHeartbeat?.take(frame) === true) return
    this.#answers.frame(frame)
  }

  #ping(payload: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#watch?.control('out', 'ping', payload)
    this.#socket.ping(payload)
  }

  #closeSocket(code: number, reason: string): void {
    this.#markLocal()
    // A paused socket would never see the answer to the close frame.
    if (this.#socket.isPaused) this.#socket.resume()
    if (this.#socket.readyState === this.#socket.OPEN) this.#watch?.closing(code, reason)
    this.#socket.close(code, reason)
  }

  /** A close that the other side began stays its own, although we answer it. */
  #markLocal(): void {
    if (this.#socket.readyState <= this.#socket.OPEN) this.#isClosedLocally = true
  }

  #makeApplicationHeartbeat(): ApplicationHeartbeat | undefined {
    const { applicationHeartbeat, clock } = this.#options
    // A message of the application's would be a line that the hub does not know.
    const isHub = this.subprotocol === SUBPROTOCOL
    if (applicationHeartbeat === undefined || isHub) return undefined
    const ports = {
      // Where sending fails the link is ending, and its close reports that.
      send: (frame: Frame) => void this.send(frame).catch(() => {}),
      failed: (error: unknown) => this.#ports.profileFailed(error),
    }
    return new ApplicationHeartbeat(applicationHeartbeat, ports, clock)
  }

  /** Stops reading while a sink has no room, unless an answer is awaited, which would never come then. */
  #throttle(): void {
    const isPaused = this.#isHeld && this.#answers.size === 0
    if (isPaused === this.#isPaused || this.signal.aborted) return
    this.#isPaused = isPaused
    if (isPaused) {
      this.#heartbeat.suspend()
      this.#socket.pause()
    } else {
      this.#socket.resume()
      this.#heartbeat.unsuspend()
    }
  }

  #onClose(code: number, reason: string): void {
    const info = {
      code,
      reason,
      wasClean: code !== 1006 && this.#error === undefined,
      initiatedBy: this.#isClosedLocally ? 'local' : 'remote',
      error: this.#error,
    } as const
    this.#closeInfo = info
    this.#watch?.closed(info)
    if (this.#early === undefined) this.#finish(info)
  }

  #finish(info: CloseInfo): void {
    this.#ports.traffic?.ended(this.bytes)
    this.#end()
    this.#resolveClosed(this.#lost === undefined ? info : { ...info, error: this.#lost })
  }

  #end(): void {
    this.#heartbeat.stop()
    this.#applicationHeartbeat?.stop()
    this.#ended.abort(new DisconnectedError('The link ended'))
    this.#answers.settle()
  }
}

/** Not `AbortSignal.any`: a link that lives for weeks would keep something of each of its waits. */
function both(link: AbortSignal, own: AbortSignal | undefined): AbortSignal[] {
  return own === undefined ? [link] : [link, own]
}

/** Makes a link ready on the plain wire. Rejects when any step fails; the attempt then counts as failed. */
export async function bootstrap(
  protocol: Pick<PlainProtocol, 'authenticate'>,
  link: SessionLink,
  attempt: number,
  signal: AbortSignal,
  onOpen: ResolvedOptions['onOpen'],
  restore: (link: SessionLink) => Promise<void>,
): Promise<void> {
  await step('Authenticating', async () => protocol.authenticate?.(link))
  if (onOpen !== undefined) {
    await step('Sending the bootstrap frames', async () => {
      const { generation, subprotocol } = link
      const frames = await onOpen({ generation, attempt, protocol: subprotocol, signal })
      for (const frame of checkFrames(frames)) await link.send(frame)
    })
  }
  await step('Restoring the subscriptions', () => restore(link))
}

async function step(what: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    // Our own errors already say what to do about them.
    if (error instanceof BusError) throw error
    throw new BootstrapError(`${what} failed`, { cause: error })
  }
}

/** What a caller without types may return. */
function checkFrames(frames: unknown): readonly Frame[] {
  const isFrame = (frame: unknown): frame is Frame =>
    typeof frame === 'string' || frame instanceof Uint8Array
  if (Array.isArray(frames) && frames.every(isFrame)) return frames
  throw new BootstrapError('Expected `onOpen` to return an array of strings and Uint8Arrays')
}
