/** The link: one live connection with its heartbeat and the answers that are awaited on it. */

import { DisconnectedError, BootstrapError, BusError, type ErrorKind } from '@bus/core'
import { SUBPROTOCOL } from '../../protocol/bus-v1/limits.ts'
import type { Frame, ProtocolLink } from '../../protocol/protocol.ts'
import { Heartbeat, type HeartbeatStats } from '../../socket/heartbeat.ts'
import { closeSafely } from '../../socket/socket-port.ts'
import { ApplicationHeartbeat } from '../frames/application-heartbeat.ts'
import { Answers } from '../frames/answers.ts'
import type { CloseInfo, Connection } from './connection.ts'
import type { FrameTap, TrafficPort } from '../frames/frame-tap.ts'
import type { ResolvedOptions } from '../options/options.ts'

export interface LinkPorts {
  /** A frame that nobody awaited. */
  frame(frame: Frame): void
  /** A text message that nobody awaited, as bytes. `undefined`: {@link frame} gets it. */
  readonly text: ((bytes: Buffer) => void) | undefined
  /** Sees every frame, before anybody else. */
  readonly tap: Pick<FrameTap, 'frame' | 'isWatched'>
  /** Told of what goes through the socket. */
  readonly traffic?: TrafficPort | undefined
  /** The profile of the application's own heartbeats threw. */
  profileFailed(error: unknown): void
  /** Something went wrong on the link that nobody is waiting for. */
  report(kind: ErrorKind, error: Error): void
  /** A ping stayed without an answer. */
  missed(info: { readonly silentMs: number; readonly missed: number }): void
}

/** Lives from the handshake to the close. Everything that belongs to one connection ends with it. */
export class Link implements ProtocolLink {
  readonly connection: Connection
  readonly generation: number
  /** Resolves when the connection is over; never rejects. */
  readonly closed: Promise<CloseInfo>
  readonly #ports: LinkPorts
  readonly #heartbeat: Heartbeat
  readonly #applicationHeartbeat: ApplicationHeartbeat | undefined
  readonly #ended = new AbortController()
  readonly #answers: Answers
  #isHeld = false
  #isPaused = false
  #lost: BusError | undefined

  constructor(
    connection: Connection,
    generation: number,
    options: ResolvedOptions,
    ports: LinkPorts,
  ) {
    this.connection = connection
    this.generation = generation
    this.#ports = ports
    this.#answers = new Answers({
      unclaimed: (frame) => ports.frame(frame),
      changed: () => this.#throttle(),
    })
    this.#heartbeat = new Heartbeat(
      {
        ping: (payload) => connection.ping(payload),
        received: () => connection.bytes.received,

        missed: (info) => ports.missed(info),
        lost: (error) => this.fail(error),
      },
      {
        intervalMs: options.heartbeat === false ? false : options.heartbeat.intervalMs,
        timeoutMs: options.heartbeat === false ? 0 : options.heartbeat.timeoutMs,
        maxMissed: options.heartbeat === false ? 1 : options.heartbeat.maxMissed,
        idleTimeoutMs: options.idleTimeoutMs,
      },
      { clock: options.clock, random: options.random },
    )
    this.#applicationHeartbeat = this.#makeApplicationHeartbeat(options)
    if (ports.traffic !== undefined) connection.measure(ports.traffic)
    this.closed = new Promise((resolve) => {
      this.#heartbeat.start()
      this.#listen(resolve)
    })
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  get subprotocol(): string {
    return this.connection.subprotocol
  }

  /** Frames that nobody waits for flow from now on, although the link is not ready. */
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

  /** Asks the other side now; resolves with the round trip in milliseconds. */
  probe(options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<number> {
    return this.#heartbeat.probe(options)
  }

  send(frame: Frame): Promise<void> {
    return new Promise((resolve, reject) => {
      this.connection.send(frame, typeof frame !== 'string', (error) => {
        if (error === undefined || error === null) resolve()
        else reject(new DisconnectedError('The link broke while sending', { cause: error }))
      })
    })
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

  /** Stops reading: a subscription has no room. The heartbeat gives no verdict meanwhile. */
  hold(): void {
    this.#isHeld = true
    this.#throttle()
  }

  /** Reads again. */
  release(): void {
    this.#isHeld = false
    this.#throttle()
  }

  /** Whether reading is stopped, which it is not while an answer is awaited. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Answers that somebody waits for. */
  get awaited(): number {
    return this.#answers.size
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Begins the closing handshake. Nothing is awaited on this link any more; frames still come until it is over. */
  close(code: number, reason: string): void {
    this.#end()
    closeSafely(this.connection, code, reason)
  }

  /** Ends the link at once, for a reason that its end will tell. */
  fail(error: BusError): void {
    this.#lost ??= error
    this.connection.terminate()
  }

  #listen(ended: (info: CloseInfo) => void): void {
    const { connection } = this
    const { traffic } = this.#ports
    connection.attach({
      activity: () => this.#heartbeat.inbound(),
      pong: (payload) => {
        const ms = this.#heartbeat.pong(payload)
        if (ms !== undefined) traffic?.roundTrip(ms)
      },
      frame: (frame) => {
        if (traffic?.isWatched === true) traffic.received(frame, typeof frame !== 'string')
        this.#onFrame(frame)
      },
      text: (bytes) => {
        if (traffic?.isWatched === true) traffic.received(bytes, false)
        this.#onText(bytes)
      },
      closed: (info) => {
        traffic?.ended(connection.bytes)
        this.#end()
        ended(this.#lost === undefined ? info : { ...info, error: this.#lost })
      },
    })
  }

  #makeApplicationHeartbeat(options: ResolvedOptions): ApplicationHeartbeat | undefined {
    const { applicationHeartbeat, clock } = options
    // A message of the application's would be a line that the hub does not know.
    const isHub = this.subprotocol === SUBPROTOCOL
    if (applicationHeartbeat === undefined || isHub) return undefined
    const ports = {
      // What cannot be sent needs no word: the link is ending, and says so.
      send: (frame: Frame) => void this.send(frame).catch(() => {}),
      failed: (error: unknown) => this.#ports.profileFailed(error),
    }
    return new ApplicationHeartbeat(applicationHeartbeat, ports, clock)
  }

  /** Whoever awaits an answer or watches the frames gets a string. */
  #onText(bytes: Buffer): void {
    const { text, tap } = this.#ports
    if (text === undefined || tap.isWatched || !this.#answers.isIdle)
      this.#onFrame(bytes.toString())
    else text(bytes)
  }

  #onFrame(frame: Frame): void {
    this.#ports.tap.frame(frame)
    if (this.#applicationHeartbeat?.take(frame) === true) return
    this.#answers.frame(frame)
  }

  /** Stops reading while somebody has no room, unless an answer is awaited, which would never come then. */
  #throttle(): void {
    const isPaused = this.#isHeld && this.#answers.size === 0
    if (isPaused === this.#isPaused || this.signal.aborted) return
    this.#isPaused = isPaused
    if (isPaused) {
      this.#heartbeat.suspend()
      this.connection.pause()
    } else {
      this.connection.resume()
      this.#heartbeat.unsuspend()
    }
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

/** Rejects when any step fails; the attempt then counts as failed. */
export async function bootstrap(
  link: Link,
  attempt: number,
  signal: AbortSignal,
  options: Pick<ResolvedOptions, 'protocol' | 'onOpen'>,
  restore: (link: Link) => Promise<void>,
): Promise<void> {
  await step('Authenticating', async () => options.protocol.authenticate?.(link))
  const { onOpen } = options
  if (onOpen !== undefined) {
    await step('Sending the bootstrap frames', async () => {
      const { generation, subprotocol: protocol } = link
      const frames = await onOpen({ generation, attempt, protocol, signal })
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
