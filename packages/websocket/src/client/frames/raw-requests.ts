/** Requests to servers of any dialect: a frame that goes out, and the frame that a test recognises as its answer. */
import {
  DisconnectedError,
  QueueFullError,
  UnsupportedError,
  checkOptions,
  durationMs,
  where,
  type Clock,
  type Shape,
} from '@bus/core'
import { SUBPROTOCOL } from '../../protocol/bus-v1/limits.ts'
import type { Frame, ProtocolLink } from '../../protocol/protocol.ts'
import { Requests, type RequestOptions } from '../../protocol/request.ts'
import type { RawFrame } from './frame-tap.ts'

/** What an answer is: something for the caller, or `undefined` for a frame that is none. What it throws rejects the request. */
export type AnswerMatch<T> = (frame: RawFrame) => T | undefined

const SHAPE: Shape<RequestOptions> = Object.freeze({
  timeoutMs: durationMs({ min: 1, allowInfinity: true, allowLong: true }),
  signal: where('to be an AbortSignal', (value) => value instanceof AbortSignal),
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
    checkOptions('', options, SHAPE)
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
