/** The handlers of a client, put to work: some stand in for an option, the others listen. */
import { UnsupportedError, attachLogger, type Listenable, type TransportEvents } from '@bus/core'
import { withAuth } from '../platform/with-auth.ts'
import { SUBPROTOCOL } from '../protocol/bus-v1/limits.ts'
import { overlay } from '../protocol/overlay.ts'
import type { Frame, Protocol } from '../protocol/protocol.ts'
import type { FrameTap, RawFrame } from './frames/frame-tap.ts'
import type { Handlers, MessageHandler, SubscriptionHandler } from './options/handlers.ts'
import type { Link } from './link/link.ts'
import type { ResolvedOptions } from './options/options.ts'

/** What the handlers that listen need of the other rooms. */
export interface HandlerPorts {
  readonly notices: Listenable<TransportEvents>
  readonly tap: Pick<FrameTap, 'observe'>
  readonly reconnector: { readonly link: Pick<Link, 'send' | 'subprotocol'> | undefined }
  report(kind: 'listener', error: unknown): void
}

/**
 * The options with what the handlers put in their place; the same where there are none.
 */
export function withHandlers(options: ResolvedOptions): ResolvedOptions {
  const { handlers } = options
  if (handlers === undefined) return options
  return Object.freeze({
    ...options,
    protocol: protocolOf(options, handlers),
    reconnect: reconnectOf(options, handlers),
  })
}

/** Lets those that listen listen, as long as the transport lives. */
export function attachHandlers(handlers: Handlers | undefined, ports: HandlerPorts): void {
  if (handlers === undefined) return
  const { connection, error, subscription, rateLimit, logging, message } = handlers
  const { notices } = ports
  listen(notices, 'open', connection, 'onConnect')
  listen(notices, 'close', connection, 'onDisconnect')
  listen(notices, 'status', connection, 'onStatus')
  listen(notices, 'error', error, 'onError')
  listen(notices, 'subscriptions-restored', subscription, 'onRestored')
  listen(notices, 'subscriptions-failed', subscription, 'onFailed')
  listen(notices, 'rate-limit', rateLimit, 'onLimit')
  if (logging !== undefined) {
    const { logger, ...options } = logging
    attachLogger(notices, logger, options)
  }
  if (message?.onMessage !== undefined) ports.tap.observe((frame) => show(frame, message, ports))
}

/** A notice for one function of a handler, which is looked for now and called as its method. */
function listen<K extends keyof TransportEvents, M extends string>(
  notices: Listenable<TransportEvents>,
  name: K,
  handler: { readonly [method in M]?: (notice: TransportEvents[K]) => void } | undefined,
  method: M,
): void {
  if (handler?.[method] !== undefined) notices.on(name, (notice) => handler[method]?.(notice))
}

/** Shows a message to the handler, and sends back what it returns. */
function show(frame: RawFrame, handler: MessageHandler, ports: HandlerPorts): void {
  try {
    const replies = handler.onMessage?.(frame) ?? []
    for (const reply of isFrame(replies) ? [replies] : replies) send(reply, ports)
  } catch (error) {
    ports.report('listener', error)
  }
}

function send(frame: Frame, ports: HandlerPorts): void {
  const { link } = ports.reconnector
  if (link?.subprotocol === SUBPROTOCOL)
    throw new UnsupportedError('websocket', 'own messages on bus.v1')
  // What cannot be sent needs no word: the link is ending, and says so.
  void link?.send(frame).catch(() => {})
}

function isFrame(value: Frame | readonly Frame[]): value is Frame {
  return typeof value === 'string' || value instanceof Uint8Array
}

function protocolOf(options: ResolvedOptions, handlers: Handlers): Protocol {
  const { auth, message, subscription } = handlers
  const protocol = withDialect(options.protocol, {
    ...dialectOf(message),
    ...requestsOf(subscription),
  })
  return auth === undefined ? protocol : withAuth(protocol, auth, { clock: options.clock })
}

/** A session has a wire of its own: what is spoken with other servers gets the changes. */
function withDialect(protocol: Protocol, changes: Partial<Protocol>): Protocol {
  if (Object.keys(changes).length === 0) return protocol
  if (protocol.session === undefined) return overlay(protocol, changes)
  const { fallback } = protocol
  return fallback === undefined
    ? protocol
    : overlay(protocol, { fallback: overlay(fallback, changes) })
}

function dialectOf(message: MessageHandler | undefined): Partial<Protocol> {
  return {
    ...(message?.encode === undefined ? {} : { encode: message.encode.bind(message) }),
    ...(message?.decode === undefined ? {} : { decode: message.decode.bind(message) }),
  }
}

function requestsOf(handler: SubscriptionHandler | undefined): Partial<Protocol> {
  return {
    ...(handler?.subscribe === undefined ? {} : { subscribe: handler.subscribe.bind(handler) }),
    ...(handler?.unsubscribe === undefined
      ? {}
      : { unsubscribe: handler.unsubscribe.bind(handler) }),
  }
}

function reconnectOf(
  { reconnect }: ResolvedOptions,
  { error }: Handlers,
): ResolvedOptions['reconnect'] {
  if (reconnect === false || error === undefined) return reconnect
  return Object.freeze({
    ...reconnect,
    ...(error.classify === undefined ? {} : { classify: error.classify.bind(error) }),
    ...(error.closePolicy === undefined ? {} : { closePolicy: error.closePolicy.bind(error) }),
  })
}
