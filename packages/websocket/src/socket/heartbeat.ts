/** The keepalive of one connection: pings, and the detection of a dead peer that no frame reports. */

import {
  DisconnectedError,
  HeartbeatTimeoutError,
  type Clock,
  type Timer,
  type Random,
  type BusError,
  type WaitOptions,
} from '@bus/core'
import { withDeadline } from '@bus/core/kit'
import { afterReading } from './after-reading.ts'

/** A ping of the interval that waits for its pong. */
interface Outstanding {
  readonly payload: string
  readonly sentAt: number
  deadline: number
  /** Bytes that had been received when it was sent. */
  readonly received: number
  /** When the last frame before it had come: a later one shows that the other side lives even without the pong. */
  readonly inboundAt: number
  /** A part of a frame came after it. */
  hasPart: boolean
  /** The reader was paused meanwhile, so that the time until the pong says nothing about the network. */
  distorted: boolean
}

/** A timer that fires later than this share of the limit it guards is a sign of our own stall, not of the other side. */
export const LATE_SHARE = 0.25

/**
 * Pings, and gives a verdict on the silence.
 *
 * The other side is lost when `maxMissed` pings in a row had no answer and nothing at all came since the last of
 * them, or when nothing came for `idleTimeoutMs`. One timer serves every deadline. At that timer it reads when the last frame
 * came, so a frame costs its owner one assignment and calls nothing here.
 *
 * Timers run before waiting bytes are read: after a stall of the event loop a deadline seems to have passed though
 * the answer lies in the socket. Hence a timer that is itself late grants the full time once more, and no verdict is
 * given before what waits was read.
 */
export class Heartbeat {
  readonly #port: HeartbeatPort
  readonly #options: HeartbeatOptions
  readonly #clock: Clock
  readonly #defer: (run: () => void) => void
  /** Where in the interval the first ping falls, in [0, 1). */
  readonly #phase: number
  readonly #probes: Probes
  #sequence = 0
  #isRunning = false
  #isSuspended = false
  /** Grows at each stop, which makes a verdict that was deferred before it void. */
  #run = 0
  #timer: Timer | undefined
  #nextPingAt = Infinity
  #outstanding: Outstanding | undefined
  /** The last moment at which we could not listen: silence is counted from then on, or from the last frame. */
  #renewedAt = 0
  /** When the last frame had come as a late timer was excused: none is excused again before another frame has come. */
  #excusedInboundAt: number | undefined
  #lastPongAt: number | undefined
  #missed = 0
  #rttMs: number | undefined

  constructor(port: HeartbeatPort, options: HeartbeatOptions, tools: HeartbeatTools) {
    this.#port = port
    this.#options = options
    this.#clock = tools.clock
    this.#probes = new Probes(tools.clock)
    this.#defer = tools.defer ?? afterReading
    this.#phase = tools.random()
  }

  /** Begins. The first ping leaves at a random moment within one interval. Idempotent. */
  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    const now = this.#clock.now()
    const { intervalMs } = this.#options
    this.#renewedAt = now
    this.#nextPingAt = intervalMs === false ? Infinity : now + intervalMs * this.#phase
    this.#arm(now)
  }

  /** Ends it: no timer stays, waiting probes reject with `DisconnectedError`. Idempotent. */
  stop(): void {
    this.#isRunning = false
    this.#run += 1
    this.#outstanding = undefined
    this.#disarm()
    this.#probes.failAll(new DisconnectedError('The link ended before the pong came'))
  }

  /**
   * A pong arrived. It is an answer only if its payload is one that is waited for; otherwise a frame like any other.
   *
   * @returns the round trip in milliseconds, where it could be measured
   */
  pong(payload: string): number | undefined {
    const probeMs = this.#probes.answer(payload)
    const ping = this.#outstanding
    const isAnswer = payload === ping?.payload
    if (probeMs === undefined && !isAnswer) return undefined
    this.#lastPongAt = this.#clock.now()
    this.#missed = 0
    if (isAnswer) this.#outstanding = undefined
    const pingMs = ping?.distorted === false ? this.#lastPongAt - ping.sentAt : undefined
    const rttMs = probeMs ?? pingMs
    this.#rttMs = rttMs ?? this.#rttMs
    return rttMs
  }

  /** We stopped reading: no verdict until {@link unsuspend}. Pings still leave, for the proxies on the way. */
  suspend(): void {
    this.#isSuspended = true
    if (this.#outstanding !== undefined) this.#outstanding.distorted = true
  }

  /** We read again: every deadline starts anew. */
  unsuspend(): void {
    if (!this.#isSuspended) return
    this.#isSuspended = false
    if (this.#isRunning) this.#renew(this.#clock.now())
  }

  /**
   * Pings now.
   *
   * @returns the round trip in milliseconds; rejects with `TimeoutError`, `AbortedError` or, without a link, with
   * `DisconnectedError`
   */
  probe(options: ProbeOptions): Promise<number> {
    if (!this.#isRunning) return Promise.reject(new DisconnectedError('There is no link to probe'))
    return this.#probes.send(this.#nextPayload(), (payload) => this.#port.ping(payload), options)
  }

  stats(): HeartbeatStats {
    const inboundAt = this.#port.inboundAt()
    return {
      lastInboundAt: inboundAt === -Infinity ? undefined : inboundAt,
      lastPongAt: this.#lastPongAt,
      missed: this.#missed,
      rttMs: this.#rttMs,
      timerActive: this.#timer !== undefined,
    }
  }

  #onTimer(due: number): void {
    this.#timer = undefined
    const now = this.#clock.now()
    const limitMs = this.#isSuspended ? undefined : this.#passedLimit(now)
    if (limitMs === undefined) {
      if (now >= this.#nextPingAt) this.#ping(now)
      this.#arm(now)
    } else if (
      now - due > limitMs * LATE_SHARE &&
      this.#excusedInboundAt !== this.#port.inboundAt()
    ) {
      this.#excusedInboundAt = this.#port.inboundAt()
      this.#renew(now)
    } else {
      const run = this.#run
      this.#defer(() => {
        if (run === this.#run) this.#judge()
      })
    }
  }

  /** The limit that was passed: of the ping that waits for its pong, or of the silence. */
  #passedLimit(now: number): number | undefined {
    const { timeoutMs, idleTimeoutMs } = this.#options
    if (this.#outstanding !== undefined && now >= this.#outstanding.deadline) return timeoutMs
    if (idleTimeoutMs !== undefined && now >= this.#quietSince + idleTimeoutMs) return idleTimeoutMs
    return undefined
  }

  get #quietSince(): number {
    return Math.max(this.#renewedAt, this.#port.inboundAt())
  }

  #judge(): void {
    const now = this.#clock.now()
    if (this.#isSuspended || this.#passedLimit(now) === undefined) return this.#arm(now)
    const ping = this.#outstanding
    const isUnanswered = ping !== undefined && now >= ping.deadline
    if (ping !== undefined && this.#received() > ping.received) {
      // A part of a frame, whose end may take longer than any limit.
      ping.hasPart = true
      this.#renewedAt = now
    }
    if (isUnanswered) {
      this.#missed += 1
      this.#outstanding = undefined
    }
    const { idleTimeoutMs = Infinity, maxMissed } = this.#options
    const silentMs = now - this.#quietSince
    const isHeard = ping?.hasPart === true || this.#port.inboundAt() !== ping?.inboundAt
    const isGone = isUnanswered && !isHeard && this.#missed >= maxMissed
    const run = this.#run
    this.#port.missed?.({ silentMs, missed: this.#missed })
    if (run !== this.#run) return
    if (isGone || silentMs >= idleTimeoutMs) this.#lose(silentMs)
    else this.#arm(now)
  }

  #lose(silentMs: number): void {
    const missed = this.#missed
    this.stop()
    const pings = missed === 0 ? '' : `; pings without an answer: ${missed}`
    const message = `Nothing was heard for ${Math.round(silentMs)} ms${pings}`
    this.#port.lost(new HeartbeatTimeoutError(message))
  }

  #ping(now: number): void {
    const { intervalMs, timeoutMs } = this.#options
    if (intervalMs === false) return
    const payload = this.#nextPayload()
    this.#nextPingAt = now + intervalMs
    this.#outstanding = {
      payload,
      sentAt: now,
      deadline: now + timeoutMs,
      received: this.#received(),
      inboundAt: this.#port.inboundAt(),
      hasPart: false,
      distorted: this.#isSuspended,
    }
    this.#port.ping(payload)
  }

  /** Grants every deadline its full time again, because we could not have received an answer. */
  #renew(now: number): void {
    this.#renewedAt = now
    if (this.#outstanding !== undefined) {
      this.#outstanding.deadline = now + this.#options.timeoutMs
      this.#outstanding.distorted = true
    }
    this.#arm(now)
  }

  /** Waits for the earliest deadline. While suspended only pings are due. */
  #arm(now: number): void {
    this.#disarm()
    if (!this.#isRunning) return
    const { idleTimeoutMs = Infinity } = this.#options
    const verdictAt = Math.min(
      this.#outstanding?.deadline ?? Infinity,
      this.#quietSince + idleTimeoutMs,
    )
    const due = Math.min(this.#nextPingAt, this.#isSuspended ? Infinity : verdictAt)
    if (due === Infinity) return
    this.#timer = this.#clock.setTimeout(() => this.#onTimer(due), due - now)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #received(): number {
    return this.#port.received?.() ?? 0
  }

  #nextPayload(): string {
    this.#sequence += 1
    return String(this.#sequence)
  }
}

/** What the keepalive needs of its owner. */
export interface HeartbeatPort {
  /** When the last frame came, data, ping or pong, by the clock; `-Infinity` before the first. */
  inboundAt(): number
  /** Sends a ping frame. */
  ping(payload: string): void
  /**
   * Bytes that were received so far, those of a frame that is not complete included. A large message delays the pong behind
   * it, and while it comes its bytes are the sign of life. Absent: only frames are.
   */
  received?(): number
  /** A deadline passed: a ping stayed without an answer, or nothing was heard. {@link lost} may follow. */
  missed?(info: { readonly silentMs: number; readonly missed: number }): void
  /** The other side is gone: terminate the socket. Called once; the heartbeat has stopped. */
  lost(error: HeartbeatTimeoutError): void
}

export interface HeartbeatOptions {
  /** Milliseconds between pings; `false` sends none. */
  readonly intervalMs: number | false
  /** Milliseconds that an answer to a ping may take, at most `intervalMs`. */
  readonly timeoutMs: number
  /** Pings in a row without an answer after which the other side is lost. */
  readonly maxMissed: number
  /** Milliseconds without any frame after which the other side is lost. `undefined`: no limit. */
  readonly idleTimeoutMs?: number | undefined
}

export interface HeartbeatTools {
  readonly clock: Clock
  /** Spreads the first pings of many connections over the interval. */
  readonly random: Random
  /** Runs later, once bytes that already wait have been read. @default two turns of `setImmediate` */
  readonly defer?: (run: () => void) => void
}

export interface HeartbeatStats {
  /** Monotonic milliseconds of the last frame; `undefined` before the first. */
  readonly lastInboundAt: number | undefined
  readonly lastPongAt: number | undefined
  /** Pings in a row without an answer in time, also when other frames show that the link lives. */
  readonly missed: number
  /** Round trip of the last answered ping, in milliseconds. */
  readonly rttMs: number | undefined
  readonly timerActive: boolean
}

export interface ProbeOptions extends WaitOptions {
  /** Milliseconds that the pong may take. */
  readonly timeoutMs: number
}

interface Probe {
  readonly sentAt: number
  readonly resolve: (rttMs: number) => void
  readonly reject: (error: BusError) => void
}

/** The probes under way, by payload. */
class Probes {
  readonly #clock: Clock
  readonly #byPayload = new Map<string, Probe>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Sends a ping and waits.
   *
   * @returns the round trip in milliseconds; rejects with `TimeoutError` or `AbortedError`
   */
  async send(
    payload: string,
    ping: (payload: string) => void,
    options: ProbeOptions,
  ): Promise<number> {
    const send = (): Promise<number> =>
      new Promise((resolve, reject) => {
        this.#byPayload.set(payload, { sentAt: this.#clock.now(), resolve, reject })
        ping(payload)
      })
    try {
      return await withDeadline(send, { ...options, clock: this.#clock, what: 'The probe' })
    } finally {
      this.#byPayload.delete(payload)
    }
  }

  /** The round trip of the probe with this payload, which is thereby answered; `undefined` when there is none. */
  answer(payload: string): number | undefined {
    const probe = this.#byPayload.get(payload)
    if (probe === undefined) return undefined
    this.#byPayload.delete(payload)
    const rttMs = this.#clock.now() - probe.sentAt
    probe.resolve(rttMs)
    return rttMs
  }

  /** Rejects every probe that waits. */
  failAll(error: BusError): void {
    for (const { reject } of this.#byPayload.values()) reject(error)
    this.#byPayload.clear()
  }
}
