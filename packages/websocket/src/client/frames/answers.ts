/** Answers: the waits for frames of one link, and the frames kept for waits to come; requests over raw frames. */

import {
  ClosedError,
  DisconnectedError,
  QueueFullError,
  UnsupportedError,
  type Clock,
  type WaitOptions,
} from '@bus/core'
import { check, AbortWatch, checkOptions, withDeadline, type Shape } from '@bus/core/kit'
import type { Frame, ProtocolLink } from '../../protocol/protocol.ts'
import type { FrameTap, RawFrame } from './frame-tap.ts'
import { SUBPROTOCOL } from '../../protocol/bus-v1/limits.ts'
import { Requests, type RequestOptions } from '../../protocol/request.ts'

/** How much is kept for waits to come: a server's welcome is among the first frames. */
const MAX_KEPT_FRAMES = 256
const MAX_KEPT_BYTES = 1_048_576

export interface AnswersPorts {
  /** A frame that is no awaited answer. */
  unclaimed(frame: Frame): void
  /** The first wait has begun, or the last has ended. */
  changed(): void
}

interface Waiter {
  /** `true` when this frame was the answer. */
  take(frame: Frame): boolean
  fail(error: unknown): void
}

/**
 * Belongs to one link. Until {@link settle} it keeps the frames that are no awaited answer, because a welcome can come
 * before the protocol has had a chance to wait for it; the order of frames stays the same.
 */
export class Answers {
  /**
   * No answer is awaited, and no frame kept: every frame goes through. A field, because it is read for each message; only
   * this class writes it.
   */
  isIdle = false
  /** Answers that came. */
  taken = 0
  readonly #ports: AnswersPorts
  readonly #waiters = new Set<Waiter>()
  readonly #signals: AbortWatch<Waiter> = new AbortWatch((waiter, signal) =>
    waiter.fail(signal.reason),
  )
  readonly #kept: Frame[] = []
  #keptBytes = 0
  #isSettled = false

  constructor(ports: AnswersPorts) {
    this.#ports = ports
  }

  /** How many waits there are. */
  get size(): number {
    return this.#waiters.size
  }

  /** Resolves with the first answer for which `match` gives something; rejects with the reason of any of the signals. */
  wait<T>(match: (frame: Frame) => T | undefined, ...signals: AbortSignal[]): Promise<T> {
    const aborted = signals.find((signal) => signal.aborted)
    if (aborted !== undefined) return Promise.reject(aborted.reason)
    return new Promise((resolve, reject) => {
      const end = (): void => {
        for (const signal of signals) this.#signals.delete(signal, waiter)
        if (this.#waiters.delete(waiter) && this.#waiters.size === 0) this.#changed()
      }
      const fail = (error: unknown): void => {
        end()
        reject(error)
      }
      const take = (frame: Frame): boolean => {
        const found = match(frame)
        if (found === undefined) return false
        end()
        resolve(found)
        return true
      }
      const waiter: Waiter = { take, fail }
      if (this.#takeKept(waiter)) return
      for (const signal of signals) this.#signals.add(signal, waiter)
      this.#waiters.add(waiter)
      if (this.#waiters.size === 1) this.#changed()
    })
  }

  /** A frame came: it is an awaited answer, kept, or unclaimed. */
  frame(frame: Frame): void {
    for (const waiter of this.#waiters) {
      if (!isTaken(waiter, frame)) continue
      this.taken++
      return
    }
    if (this.#isSettled) this.#ports.unclaimed(frame)
    else this.#keep(frame)
  }

  /** The link is ready, or over: the frames that were kept are unclaimed now, in order. */
  settle(): void {
    this.#isSettled = true
    while (this.#kept.length > 0) this.#letGo()
    this.isIdle = this.#waiters.size === 0
  }

  #changed(): void {
    this.isIdle = this.#isSettled && this.#waiters.size === 0
    this.#ports.changed()
  }

  #keep(frame: Frame): void {
    this.#kept.push(frame)
    this.#keptBytes += frame.length
    while (this.#kept.length > MAX_KEPT_FRAMES || this.#keptBytes > MAX_KEPT_BYTES) this.#letGo()
  }

  #letGo(): void {
    const frame = this.#kept.shift()
    if (frame === undefined) return
    this.#keptBytes -= frame.length
    this.#ports.unclaimed(frame)
  }

  #takeKept(waiter: Waiter): boolean {
    for (const [i, frame] of this.#kept.entries()) {
      if (!isTaken(waiter, frame)) continue
      this.#kept.splice(i, 1)
      this.#keptBytes -= frame.length
      this.taken++
      return true
    }
    return false
  }
}

/** A test that throws fails its own wait; the frame is used up. */
function isTaken(waiter: Waiter, frame: Frame): boolean {
  try {
    return waiter.take(frame)
  } catch (error) {
    waiter.fail(error)
    return true
  }
}

/** How long a wait for a frame lasts. */
export interface FrameWaitOptions extends WaitOptions {
  /** Milliseconds after which the call rejects with `TimeoutError`. @default no limit */
  readonly timeoutMs?: number | undefined
}

const FRAME_WAIT_SHAPE: Shape<FrameWaitOptions> = Object.freeze({
  timeoutMs: check.durationMs({ min: 1, allowInfinity: true, allowLong: true }),
  signal: check.abortSignal,
})

/** Sees every frame that comes after the call, over all links. What the test throws rejects the wait. */
export async function waitForFrame(
  tap: Pick<FrameTap, 'observe'>,
  isMatch: (frame: RawFrame) => boolean,
  options: FrameWaitOptions,
  clock: Clock,
): Promise<RawFrame> {
  checkOptions('', options, FRAME_WAIT_SHAPE)
  const watch = (signal: AbortSignal): Promise<RawFrame> =>
    new Promise((resolve, reject) => {
      const see = (frame: RawFrame): void => {
        try {
          if (!isMatch(frame)) return
          resolve(frame)
        } catch (error) {
          reject(error)
        }
        stop()
      }
      const stop = tap.observe(see, () => reject(new ClosedError('The transport was closed')))
      signal.addEventListener('abort', stop, { once: true })
    })
  return await withDeadline(watch, { ...options, clock, what: 'Waiting for a frame' })
}

/** Sees a frame as it comes, and returns what is sent back on the same link. */
export type FrameListener = (frame: RawFrame) => Frame | readonly Frame[] | undefined | void

/** Calls the listener with each frame and sends its replies on the link; what it throws is reported. */
export function listenToFrames(
  tap: Pick<FrameTap, 'observe'>,
  linkNow: () => Pick<ProtocolLink, 'send' | 'subprotocol'> | undefined,
  listener: FrameListener,
  failed: (error: unknown) => void,
): () => void {
  const reply = (frame: Frame): void => {
    const link = linkNow()
    if (link?.subprotocol === SUBPROTOCOL) {
      throw new UnsupportedError('websocket', `own messages over ${SUBPROTOCOL}`)
    }
    // A failed send needs no report of its own: the link is ending, and reports that.
    void link?.send(frame).catch(() => {})
  }
  const see = (frame: RawFrame): void => {
    try {
      const replies = listener(frame) ?? []
      for (const one of isFrame(replies) ? [replies] : replies) reply(one)
    } catch (error) {
      failed(error)
    }
  }
  return tap.observe(see, undefined, true)
}

function isFrame(value: Frame | readonly Frame[]): value is Frame {
  return typeof value === 'string' || value instanceof Uint8Array
}

/** What an answer is: something for the caller, or `undefined` for a frame that is none. What it throws rejects the request. */
export type AnswerMatch<T> = (frame: RawFrame) => T | undefined

const REQUEST_SHAPE: Shape<RequestOptions> = Object.freeze({
  timeoutMs: check.durationMs({ min: 1, allowInfinity: true, allowLong: true }),
  signal: check.abortSignal,
})

/** Each waiting request looks at each frame. */
const MAX_PENDING = 1_000

/** Those of one transport. */
export class RawRequests {
  readonly #requests: Requests
  readonly #readyLink: () => ProtocolLink | undefined
  #pending = 0

  constructor(clock: Clock, readyLink: () => ProtocolLink | undefined) {
    this.#requests = new Requests(clock)
    this.#readyLink = readyLink
  }

  async request<T>(frame: Frame, match: AnswerMatch<T>, options: RequestOptions): Promise<T> {
    checkOptions('', options, REQUEST_SHAPE)
    const link = this.#readyLink()
    if (link === undefined || link.signal.aborted) {
      throw new DisconnectedError('There is no link', { outcome: 'not-sent' })
    }
    if (link.subprotocol === SUBPROTOCOL) {
      throw new UnsupportedError('websocket', `requests over ${SUBPROTOCOL}`)
    }
    if (this.#pending >= MAX_PENDING) {
      const message = `${MAX_PENDING} requests wait for their answers already`
      throw new QueueFullError(message, { outcome: 'not-sent' })
    }
    this.#pending++
    try {
      const terms = { ...options, what: 'The request' }
      return await this.#requests.run(link, frame, (came) => match(toRaw(came)), terms)
    } finally {
      this.#pending--
    }
  }
}

function toRaw(frame: Frame): RawFrame {
  return typeof frame === 'string' ? { kind: 'text', data: frame } : { kind: 'binary', data: frame }
}
