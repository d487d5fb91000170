/** The platform: what one kind of server expects of its clients, defined once and opened as often as needed. */
import { ConfigError, type Clock, type Codec } from '@bus/core'
import { check, checkOptions, type Shape } from '@bus/core/kit'
import {
  type WebSocketTransport,
  type WebSocketTransportOptions,
  type HeartbeatProfile,
} from '@bus/websocket'
import {
  checkUrl,
  plainJson,
  overlay,
  type PlainProtocol,
  type Protocol,
} from '@bus/websocket/protocol'
import type { AuthHandler } from './auth.ts'
import {
  composeProtocol,
  type PlatformAuth,
  type PlatformSubscriptions,
} from './compose-protocol.ts'
import { mergeClientOptions, openTransport, type ClientOptions } from './handlers.ts'

/** Options of the transport that hold for every client of a platform. */
export type PlatformOptions = Partial<
  Omit<WebSocketTransportOptions, 'url' | 'protocol' | 'applicationHeartbeat'>
> &
  Pick<ClientOptions, 'handlers'>

/**
 * What one kind of server expects.
 *
 * The functions are called once for each client, so that no two clients share a state. Each but the first gets the
 * protocol that the first made.
 */
export interface PlatformDefinition<P extends PlainProtocol = PlainProtocol> {
  /** A short name: `deribit`. */
  readonly name: string
  /** Where its server is, unless `open` says otherwise. */
  readonly url: string | URL
  /** Makes the dialect. @default plainJson({ codec }) */
  readonly protocol?: (() => P) | undefined
  /** How an event is a frame, for a server that needs no other dialect; not beside `protocol`. @default jsonCodec() */
  readonly codec?: Codec | undefined
  /** Says who we are on each new connection. @default what `protocol` does */
  readonly auth?: ((protocol: P) => AuthHandler | PlatformAuth) | undefined
  /** Heartbeats in messages of their own. @default none */
  readonly heartbeat?: ((protocol: P) => HeartbeatProfile) | undefined
  /** Asks the server for what is subscribed. @default what `protocol` does */
  readonly subscriptions?: ((protocol: P) => PlatformSubscriptions) | undefined
  /** What holds for every client, unless `open` says otherwise. @default {} */
  readonly options?: PlatformOptions
}

/** What may differ from client to client. */
export type PlatformClientOptions = PlatformOptions & {
  /** Where the server is. @default the platform's */
  readonly url?: WebSocketTransportOptions['url'] | undefined
}

/** A client of a platform: the transport, and the protocol that it speaks. */
export interface PlatformClient<P extends Protocol = Protocol> {
  readonly transport: WebSocketTransport
  /** What the platform's `protocol` made: with JSON-RPC, where requests are made. */
  readonly protocol: P
}

/** One kind of server. */
export interface Platform<P extends Protocol = Protocol> {
  readonly name: string
  /**
   * Makes one more client, which connects on first use. Its own options win over the platform's, also inside of
   * groups such as `reconnect`.
   * @throws `ConfigError`
   */
  open(own?: PlatformClientOptions): PlatformClient<P>
}

const DEFINITION: Shape<PlatformDefinition> = {
  name: check.required(check.string({ nonEmpty: true })),
  url: check.required((_path, value) => void checkUrl(value)),
  protocol: check.func,
  codec: check.withMethods('encode', 'decode'),
  auth: check.func,
  heartbeat: check.func,
  subscriptions: check.func,
  options: check.where('to be an object', (value) => typeof value === 'object' && value !== null),
}

/**
 * Defines what one kind of server expects of its clients.
 *
 * @throws `ConfigError` that names the member
 * @example
 * ```ts
 * import { definePlatform, genericHeartbeat } from '@bus/platforms'
 * import { plainJson } from '@bus/websocket/protocol'
 *
 * const exchange = definePlatform({
 *   name: 'exchange',
 *   url: 'wss://stream.example.com/ws',
 *   protocol: () => plainJson(),
 *   heartbeat: () => genericHeartbeat({ intervalMs: 15_000 }),
 *   auth: () => ({
 *     authenticate: async (link) => {
 *       await link.send('{"op":"login","key":"…"}')
 *       await link.waitFor((frame) => String(frame).includes('"login":"ok"') || undefined)
 *     },
 *   }),
 *   options: { timeouts: { bootstrapMs: 5_000 } },
 * })
 * const { transport } = exchange.open({ url: 'wss://test.example.com/ws' })
 * ```
 */
export function definePlatform<P extends PlainProtocol = PlainProtocol>(
  definition: PlatformDefinition<P>,
): Platform<P> {
  checkOptions('', definition, DEFINITION as Shape<PlatformDefinition<P>>)
  const { name, protocol, codec } = definition
  if (protocol !== undefined && codec !== undefined) {
    throw new ConfigError('codec', 'Expected `codec` or `protocol`, got both')
  }
  return Object.freeze({
    name,
    open: (own: PlatformClientOptions = {}) => open(definition, own),
  })
}

function open<P extends PlainProtocol>(
  definition: PlatformDefinition<P>,
  own: PlatformClientOptions,
): PlatformClient<P> {
  const { url, heartbeat, options = {} } = definition
  refusePlatformsOwn(own)
  const merged = mergeClientOptions<PlatformClientOptions>(options, own)
  const { protocol, composed } = compose(definition, merged.clock)
  const applicationHeartbeat = heartbeat?.(protocol)
  const transport = openTransport({
    ...merged,
    url: merged.url ?? url,
    protocol: composed,
    ...(applicationHeartbeat === undefined ? {} : { applicationHeartbeat }),
  })
  return Object.freeze({ transport, protocol })
}

/** They would be ignored: what is spoken is what makes the platform. */
function refusePlatformsOwn(own: object): void {
  for (const name of ['protocol', 'applicationHeartbeat']) {
    if (!Object.hasOwn(own, name)) continue
    throw new ConfigError(name, `Expected no \`${name}\`: it is the platform's own`)
  }
}

/** The dialect as the platform's functions know it, and as the transport speaks it. */
function compose<P extends PlainProtocol>(
  definition: PlatformDefinition<P>,
  clock: Clock | undefined,
): { readonly protocol: P; readonly composed: PlainProtocol } {
  const { auth, subscriptions } = definition
  const protocol = makeProtocol(definition)
  const parts = { auth: auth?.(protocol), subscriptions: subscriptions?.(protocol), clock }
  const clone = (): PlainProtocol => compose(definition, clock).composed
  return { protocol, composed: overlay(composeProtocol(protocol, parts), { clone }) }
}

/** Without a dialect of its own, `P` is what is inferred where none is named: any protocol. */
function makeProtocol<P extends PlainProtocol>({ protocol, codec }: PlatformDefinition<P>): P {
  if (protocol !== undefined) return protocol()
  const plain: PlainProtocol = plainJson(codec === undefined ? {} : { codec })
  return plain as P
}
