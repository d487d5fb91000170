/** The client definition: one kind of server with an application's defaults, opened as often as needed. */
import { check } from '@bus/core/kit'
import { busV1, type WebSocketTransportOptions } from '@bus/websocket'
import type { Protocol } from '@bus/websocket/protocol'
import type { Platform, PlatformClient, PlatformClientOptions } from './platform.ts'
import { mergeClientOptions, openTransport, type ClientOptions } from './handlers.ts'

/** Makes clients of one kind. */
export interface ClientDefinition<O extends object, P extends Protocol = Protocol> {
  /** What holds for every client, unless `open` says otherwise; frozen. */
  readonly defaults: O
  /**
   * Makes one more client, which shares nothing with those before and connects on first use.
   * @throws `ConfigError`
   */
  open(own?: O): PlatformClient<P>
}

/**
 * Defines a client: what a platform says holds unless the defaults say otherwise, and those unless a call of `open`
 * does, also inside of groups such as `reconnect`.
 *
 * @param platform - one made by `definePlatform`, or options of the transport
 * @param defaults - the application's own
 * @throws `ConfigError` for something that is neither; what the options say is checked by `open`.
 * @example
 * ```ts
 * import { createBus } from '@bus/core'
 * import { createClient, profiles, tokenAuth } from '@bus/platforms'
 *
 * const feed = createClient(profiles.financial, {
 *   url: 'wss://feed.example/prices',
 *   handlers: { auth: tokenAuth({ token: 'read-only' }) },
 * })
 * const { transport } = feed.open({ heartbeat: { intervalMs: 2_000 } })
 * await using bus = createBus({ transport })
 * ```
 */
export function createClient<P extends Protocol>(
  platform: Platform<P>,
  defaults?: PlatformClientOptions,
): ClientDefinition<PlatformClientOptions, P>
export function createClient(
  platform: ClientOptions,
  defaults?: ClientOptions,
): ClientDefinition<ClientOptions>
export function createClient(
  platform: Platform | ClientOptions,
  defaults: ClientOptions = {},
): ClientDefinition<ClientOptions> {
  checkPlatform('platform', platform)
  const isPlatform = 'open' in platform
  const base = isPlatform
    ? mergeClientOptions<ClientOptions>({}, defaults)
    : mergeClientOptions<ClientOptions>(platform, defaults)
  return Object.freeze({
    defaults: base,
    open: (own: ClientOptions = {}) => {
      const config = mergeClientOptions<ClientOptions>(base, own)
      return isPlatform ? platform.open(config) : openConfig(config)
    },
  })
}

const checkPlatform = check.where(
  'to be a platform or options',
  (value) => typeof value === 'object' && value !== null,
)

/** A protocol belongs to one transport: another client gets a fresh one. */
function openConfig(config: ClientOptions): PlatformClient {
  const protocol = config.protocol?.clone?.() ?? config.protocol ?? busV1()
  // Without a url it is refused by whoever checks the options.
  const options = { ...config, protocol } as WebSocketTransportOptions & ClientOptions
  return Object.freeze({ transport: openTransport(options), protocol })
}
