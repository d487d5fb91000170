/** The frame handler: a protocol whose frames are read by a function that carries state from frame to frame. */
import { ConfigError, DecodeError, createEvent, type Event, type EventInit } from '@bus/core'
import { check, checkOptions, type Shape } from '@bus/core/kit'
import { overlay } from './overlay.ts'
import { plainJson } from './plain-json.ts'
import { isPlainProtocol } from './plain-session.ts'
import type { Frame, PlainProtocol, Protocol, ProtocolLink, ProtocolReceiver } from './protocol.ts'

/** An event that a frame handler found: a whole one, or what one is made of. */
export type FoundEvent =
  | Event
  | {
      readonly type: string
      readonly payload: unknown
      readonly metadata?: EventInit
      readonly id?: undefined
    }

/** What became of one frame. A `state` that is left out stays what it was. */
export type FrameResult<S> =
  /** One event or several, in order; an empty list is nothing yet. */
  | { readonly emit: FoundEvent | readonly FoundEvent[]; readonly state?: S }
  /** The frame is of no interest. */
  | { readonly skip: true; readonly state?: S }

/** Reads the frames of a connection, one after the other. */
export interface FrameHandler<S> {
  /** The state before the first frame; called anew for each connection. */
  init(): S
  /**
   * Makes events of a frame, or skips it. What it throws is a dead letter, and the connection is made again: with it
   * the state begins anew.
   */
  handle(frame: Frame, state: S): FrameResult<S>
}

/** The options of `frameHandlerProtocol`. */
export interface FrameHandlerOptions {
  /** Everything but the reading: how events are written, authentication, requests. @default plainJson() */
  readonly protocol?: PlainProtocol | undefined
  /** @default 'frame-handler' */
  readonly name?: string | undefined
}

const SHAPE: Shape<FrameHandlerOptions> = Object.freeze({
  protocol: check.withMethods('openSession'),
  name: check.string({ nonEmpty: true }),
})

/**
 * A protocol for feeds whose frames only mean something together: parts of a message, changes of a snapshot, batches.
 *
 * @example
 * ```ts
 * import { webSocketTransport } from '@bus/websocket'
 * import { frameHandlerProtocol } from '@bus/websocket/protocol'
 *
 * // Each frame holds lines; the last one goes on in the next frame.
 * const protocol = frameHandlerProtocol({
 *   init: () => '',
 *   handle: (frame, rest) => {
 *     const lines = (rest + String(frame)).split('\n')
 *     const state = lines.pop() ?? ''
 *     return { emit: lines.map((payload) => ({ type: 'line', payload })), state }
 *   },
 * })
 * const transport = webSocketTransport({ url: 'wss://feed.example/lines', protocol })
 * ```
 *
 * @throws `ConfigError` naming the option
 */
export function frameHandlerProtocol<S>(
  handler: FrameHandler<S>,
  options: FrameHandlerOptions = {},
): PlainProtocol {
  check.withMethods('init', 'handle')('handler', handler)
  checkOptions('', options, SHAPE)
  const { protocol = plainJson(), name = 'frame-handler' } = options
  if (!isPlainProtocol(protocol)) {
    const { name: given } = protocol as Protocol
    const message = 'Expected `protocol` to be a plain one, whose frames are events'
    throw new ConfigError('protocol', `${message}, got \`${given}\``)
  }
  const reading = new FrameReading(handler)
  return Object.freeze(
    overlay(protocol, {
      name,
      decode: (frame, receiver) => reading.read(frame, receiver),
      clone: () =>
        frameHandlerProtocol(handler, { name, protocol: protocol.clone?.() ?? protocol }),
      // The first that a protocol hears of a new connection, before any of its frames.
      authenticate: async (link) => {
        reading.begin(link)
        await protocol.authenticate?.(link)
      },
    }),
  )
}

/** The close code of a connection whose frames could not be read: worth another attempt. */
const UNREADABLE = 1002

/** The state of one connection at a time. */
class FrameReading<S> {
  readonly #handler: FrameHandler<S>
  #link: ProtocolLink | undefined
  #state: { readonly value: S } | undefined
  /** The handler threw: nothing that it says of this connection can be trusted any more. */
  #isBroken = false

  constructor(handler: FrameHandler<S>) {
    this.#handler = handler
  }

  /** A new connection. */
  begin(link: ProtocolLink | undefined): void {
    this.#link = link
    this.#state = undefined
    this.#isBroken = false
    this.#state = { value: this.#handler.init() }
  }

  /** @throws `DecodeError` when the handler failed; the connection then ends. */
  read(frame: Frame, receiver: ProtocolReceiver): void {
    // What still comes before the connection is closed.
    if (this.#isBroken) return
    let events: readonly Event[]
    try {
      if (this.#state === undefined) this.begin(this.#link)
      events = this.#handle(frame)
    } catch (cause) {
      this.#isBroken = true
      this.#link?.close(UNREADABLE, 'The frame handler failed')
      throw new DecodeError('The frame handler failed', { cause })
    }
    for (const event of events) receiver.event(event, 0)
  }

  #handle(frame: Frame): readonly Event[] {
    const result = checkResult(this.#handler.handle(frame, this.#state?.value as S))
    const found = 'emit' in result ? result.emit : []
    const events = (Array.isArray(found) ? (found as readonly FoundEvent[]) : [found]).map(toEvent)
    // Only now: of a result that holds something else than events, nothing counts.
    if ('state' in result) this.#state = { value: result.state }
    return events
  }
}

function toEvent(found: unknown): Event {
  const { id, type, payload, metadata } = (found ?? {}) as FoundEvent
  if (typeof type !== 'string') {
    throw ConfigError.expected('emit', 'to hold events, or `{ type, payload }`', found)
  }
  return id === undefined ? createEvent(type, payload, metadata) : (found as Event)
}

/** What a caller without types may return. */
function checkResult<S>(result: FrameResult<S>): FrameResult<S> {
  const given: unknown = result
  if (typeof given === 'object' && given !== null && ('emit' in given || 'skip' in given)) {
    return result
  }
  throw ConfigError.expected('handle', 'to return `{ emit, state }` or `{ skip: true }`', given)
}
