/** The options of the hub. */

import { Server } from 'node:http'
import { Server as SecureServer } from 'node:https'
import { ConfigError, type Transport } from '@bus/core'
import { check, checkOptions, type Check, type Filled, type Shape } from '@bus/core/kit'
import { wireDefaults, type Window } from '../protocol/bus-v1/limits.ts'
import type { Rates } from './metering.ts'
import type { Authenticate, Authorize } from './bus-v1/admission/authenticator.ts'

/** A server of `node:http` or `node:https`. */
export type HubServer = Server | SecureServer

/** Where a hub listens, which clients it accepts, and how much may wait for a slow reader. */
export interface HubOptions extends HubBusV1Options {
  /** The port to listen on; 0 lets the system choose. Not together with `server`. @default 0 */
  readonly port?: number | undefined
  /** The address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined
  /**
   * An HTTP or HTTPS server of yours to attach to instead of listening; it stays yours to close. @default none
   */
  readonly server?: HubServer | undefined
  /**
   * The path that is upgraded. A path that no hub on `server` serves gets 404, unless `server` has other listeners of
   * `upgrade`, to which it is left; of two hubs with the same path the first serves it until it drains. @default any path
   */
  readonly path?: string | undefined
  /**
   * A transport that several hubs have in common: each event that one of them takes reaches the subscribers of all. A publish is
   * then confirmed only when the transport has confirmed it too, or has refused it for good, which `onError` and
   * `stats().backend.refused` report; another hub gets it as the transport promises. Resuming is with the same hub. The hub owns
   * the transport, and closes it. @default none
   */
  readonly backend?: Transport | undefined
  /**
   * Whether clients that do not offer `bus.v1` are taken, and speak the plain wire; `false`: their handshake is answered with 400.
   * @default true
   */
  readonly plain?: boolean | undefined
  /** The largest message in bytes; a larger one closes its connection with 1009. @default 1_048_576 */
  readonly maxMessageBytes?: number | undefined
  /**
   * Bytes that may wait for one reader of the plain wire; above it every other sender of that wire waits, and it does not get
   * what comes from `bus.v1`. @default 1_048_576
   */
  readonly highWaterMarkBytes?: number | undefined
  /** Milliseconds that one reader of the plain wire may keep the others waiting before its connection is ended. @default 5_000 */
  readonly slowReaderMs?: number | undefined
  /** Milliseconds that peers get to answer the hub's close. @default 2_000 */
  readonly closeMs?: number | undefined
}

/** The options with every default filled in. */
export interface ResolvedHubOptions extends ResolvedHubBusV1Options {
  readonly port: number
  readonly host: string
  readonly server: HubServer | undefined
  readonly path: string | undefined
  readonly backend: Transport | undefined
  readonly plain: boolean
  readonly maxMessageBytes: number
  readonly highWaterMarkBytes: number
  readonly slowReaderMs: number
  readonly closeMs: number
}

/** The defaults. */
export const hubDefaults: Readonly<{
  port: number
  host: string
  plain: boolean
  maxMessageBytes: number
  highWaterMarkBytes: number
  slowReaderMs: number
  closeMs: number
}> = Object.freeze({
  port: 0,
  host: '127.0.0.1',
  plain: true,
  maxMessageBytes: 1_048_576,
  highWaterMarkBytes: 1_048_576,
  slowReaderMs: 5_000,
  closeMs: 2_000,
})

/** @throws `ConfigError` that names the option, its value and the accepted form. */
export function resolveHubOptions(options: HubOptions): ResolvedHubOptions {
  checkOptions<HubOptions>('', options, {
    ...BUS_V1_SHAPE,
    port: check.integer({ min: 0, max: 65_535 }),
    host: check.string({ nonEmpty: true }),
    server: check.where('to be a server of node:http or node:https', isServer),
    path: check.string({ nonEmpty: true }),
    backend: check.withMethods('connect', 'publish', 'subscribe', 'drain'),
    plain: check.boolean,
    maxMessageBytes: check.integer({ min: 1 }),
    highWaterMarkBytes: check.integer({ min: 1 }),
    slowReaderMs: check.durationMs({ min: 1 }),
    closeMs: check.durationMs({ min: 1 }),
  })
  if (options.server !== undefined && options.port !== undefined) {
    throw new ConfigError(
      'port',
      'Expected `port` or `server`, got both: a server has its own port',
    )
  }
  if (options.path !== undefined && !/^\/[^?#\s]*$/.test(options.path)) {
    throw ConfigError.expected('path', 'to start with / and to have no query', options.path)
  }
  return Object.freeze({
    ...resolveBusV1(options),
    port: options.port ?? hubDefaults.port,
    host: options.host ?? hubDefaults.host,
    server: options.server,
    path: options.path,
    backend: options.backend,
    plain: options.plain ?? hubDefaults.plain,
    maxMessageBytes: options.maxMessageBytes ?? hubDefaults.maxMessageBytes,
    highWaterMarkBytes: options.highWaterMarkBytes ?? hubDefaults.highWaterMarkBytes,
    slowReaderMs: options.slowReaderMs ?? hubDefaults.slowReaderMs,
    closeMs: options.closeMs ?? hubDefaults.closeMs,
  })
}

function isServer(value: unknown): boolean {
  return value instanceof Server || value instanceof SecureServer
}

/** Rates, of which any may be left out. */
export type RateLimits = { readonly [K in keyof Rates]?: Rates[K] | undefined }

/** How much one connection, and all of them, may use. */
export interface HubLimits {
  /** The largest line of one event in bytes; a larger one is refused with code `size`. @default 262_144 */
  readonly maxEventBytes?: number | undefined
  /** Connections at the same time; one more gets status 503. @default 10_000 */
  readonly connections?: number | undefined
  /**
   * Connections at the same time from one address; one more gets status 429. The address is that of the socket: no
   * header is believed. Behind a proxy all connections have the same one, so say `Infinity` there and let the proxy
   * count. @default 1_000
   */
  readonly connectionsPerIp?: number | undefined
  /**
   * Connections at the same time of one principal, those without credentials excepted; one more gets status 429, or
   * close code 4429 where its first line says who it is. @default 1_000
   */
  readonly connectionsPerPrincipal?: number | undefined
  /** Authentications at the same time; more of them wait, together no longer than `helloMs`. @default 200 */
  readonly authentications?: number | undefined
  /** Sessions, with those that lost their link; the one that is gone for longest makes room. @default 20_000 */
  readonly sessions?: number | undefined
  /** Subscriptions of one connection; one more is refused with code `limit`. @default 128 */
  readonly subscriptionsPerConnection?: number | undefined
  /**
   * Subscriptions of all sessions together, with those that lost their link; one more is refused with code `limit`.
   * @default 200_000
   */
  readonly subscriptions?: number | undefined
  /**
   * Bytes of all events together that wait for room in the log, each with 256 more for its keeping. Where there is no
   * room for one more, the publisher that has most of them is sent away for a second or two with 4503, keeps them, and
   * sends them again. @default 268_435_456
   */
  readonly heldBytes?: number | undefined
  /** Events that one connection may publish in a second; more are refused with code `rate`. @default Infinity */
  readonly publishPerSecond?: number | undefined
  /**
   * What one connection may send in a second, with a second's worth at once: messages, bytes of them, and pings and pongs.
   * One that sends more is ended with 4429, with the time after which it may come back.
   * @default { messages: Infinity, bytes: Infinity, controlFrames: 200 }
   */
  readonly rate?: RateLimits | undefined
  /**
   * The same for all connections of one principal together, those without credentials excepted.
   * @default { messages: Infinity, bytes: Infinity, controlFrames: Infinity }
   */
  readonly principalRate?: RateLimits | undefined
  /** What may be under way without an acknowledgement, each way. @default { events: 16_384, bytes: 8_388_608 } */
  readonly window?:
    | { readonly events?: number | undefined; readonly bytes?: number | undefined }
    | undefined
}

/** How much of the past is kept. What a subscriber still needs is kept longer, and the publishers wait. */
export interface EventLogOptions {
  /** Events. @default 1_000_000 */
  readonly maxEvents?: number | undefined
  /** Bytes. @default 268_435_456 */
  readonly maxBytes?: number | undefined
  /** Milliseconds. @default Infinity */
  readonly maxAgeMs?: number | undefined
}

/** The options of a hub that concern `bus.v1`. */
export interface HubBusV1Options {
  /**
   * Says who presents these credentials, or `null`. Called for each new connection; what it throws, or returns that is
   * neither, refuses the connection for the moment. Without it `allowAnonymous` must be set. @default none
   */
  readonly authenticate?: Authenticate | undefined
  /** Lets those in who show no credentials, as the principal `anonymous`. @default false */
  readonly allowAnonymous?: boolean | undefined
  /**
   * Decides, beyond the grants of a principal, what it may publish and subscribe to. What it throws, or returns that is not a
   * boolean, is a refusal. @default everything
   */
  readonly authorize?: Authorize | undefined
  /**
   * What an event has as its source: what its publisher says, or the id of the principal that published it, whatever it says.
   * The latter costs the hub a look into each body, refuses one that is no body of an event with code `poison`, and refuses
   * the plain wire, whose messages are passed on as they are. @default 'publisher'
   */
  readonly source?: 'publisher' | 'principal' | undefined
  /** The origins from which browsers may connect, written as browsers do: `https://shop.example`. @default [] */
  readonly origins?: readonly string[] | undefined
  /** The `Host` headers to accept; helps against DNS rebinding. @default any */
  readonly hosts?: readonly string[] | undefined
  readonly limits?: HubLimits | undefined
  readonly log?: EventLogOptions | undefined
  /**
   * When a publish is confirmed: once it is in the hub's log, or once every at-least-once subscriber of its type that had a
   * session when it was accepted, connected or not, has settled it, unsubscribed, lost its session or been given up
   * (`holdMs`). @default 'hub'
   */
  readonly confirm?: 'hub' | 'subscribers' | undefined
  /** Milliseconds that a session is kept for a client without a link: longer than clients take to come back. @default 120_000 */
  readonly sessionTtlMs?: number | undefined
  /** Milliseconds that a subscriber without progress may keep the publishers waiting. @default 5_000 */
  readonly holdMs?: number | undefined
  /**
   * Milliseconds after the start in which nothing is accepted, so that subscribers are back before publishers go on: as long as
   * a client with the defaults can take. 0 fits a hub that nobody was connected to before.
   *
   * @default 0, or 25_000 with `confirm: 'subscribers'`
   */
  readonly graceMs?: number | undefined
  /** Milliseconds between the hub's pings; two without any answer end the link. @default 25_000 */
  readonly heartbeatMs?: number | undefined
  /** Milliseconds that a new connection gets to say who it is. @default 5_000 */
  readonly helloMs?: number | undefined
  /**
   * Gets what `authenticate` and `authorize` threw, and a `ConfigError` where they returned what is not of the accepted form.
   * @default it is counted only
   */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** The options with every default filled in. */
export interface ResolvedHubBusV1Options {
  readonly authenticate: Authenticate | undefined
  readonly allowAnonymous: boolean
  readonly authorize: Authorize | undefined
  readonly source: 'publisher' | 'principal'
  readonly origins: readonly string[]
  readonly hosts: readonly string[] | undefined
  readonly limits: Filled<Omit<HubLimits, 'window' | 'rate' | 'principalRate'>> & {
    readonly window: Window
    readonly rate: Rates
    readonly principalRate: Rates
  }
  readonly log: Filled<EventLogOptions>
  readonly confirm: 'hub' | 'subscribers'
  readonly sessionTtlMs: number
  readonly holdMs: number
  readonly graceMs: number
  readonly heartbeatMs: number
  readonly helloMs: number
  readonly onError: ((error: unknown) => void) | undefined
}

/** The defaults. */
export const busV1Defaults: Readonly<{
  allowAnonymous: boolean
  source: 'publisher' | 'principal'
  confirm: 'hub' | 'subscribers'
  sessionTtlMs: number
  holdMs: number
  heartbeatMs: number
  helloMs: number
  log: Filled<EventLogOptions>
  limits: ResolvedHubBusV1Options['limits']
}> = Object.freeze({
  allowAnonymous: false,
  source: 'publisher',
  confirm: 'hub',
  sessionTtlMs: 120_000,
  holdMs: 5_000,
  heartbeatMs: 25_000,
  helloMs: 5_000,
  log: Object.freeze({ maxEvents: 1_000_000, maxBytes: 268_435_456, maxAgeMs: Infinity }),
  limits: Object.freeze({
    maxEventBytes: wireDefaults.maxEventBytes,
    connections: 10_000,
    connectionsPerIp: 1_000,
    sessions: 20_000,
    subscriptionsPerConnection: 128,
    subscriptions: 200_000,
    heldBytes: 268_435_456,
    publishPerSecond: Infinity,
    connectionsPerPrincipal: 1_000,
    authentications: 200,
    rate: Object.freeze({ messages: Infinity, bytes: Infinity, controlFrames: 200 }),
    principalRate: Object.freeze({
      messages: Infinity,
      bytes: Infinity,
      controlFrames: Infinity,
    }),
    window: wireDefaults.window,
  }),
})

/** With `confirm: 'subscribers'`: the longest wait of a client's backoff, and one attempt. */
const GRACE_MS = 25_000

const count = check.integer({ min: 1 })
const perSecond: Check = (path, value) => {
  if (value !== Infinity) check.number({ min: 0, exclusiveMin: true })(path, value)
}
const ratesShape: Shape<RateLimits> = {
  messages: perSecond,
  bytes: perSecond,
  controlFrames: perSecond,
}

/** One check for each option. */
const BUS_V1_SHAPE: Shape<HubBusV1Options> = Object.freeze({
  authenticate: check.func,
  allowAnonymous: check.boolean,
  authorize: check.func,
  source: check.oneOf(['publisher', 'principal']),
  origins: check.arrayOf(check.string({ nonEmpty: true })),
  hosts: check.arrayOf(check.string({ nonEmpty: true })),
  limits: check.object<HubLimits>({
    maxEventBytes: count,
    connections: count,
    connectionsPerIp: check.integer({ min: 1, allowInfinity: true }),
    sessions: count,
    subscriptionsPerConnection: count,
    subscriptions: count,
    heldBytes: count,
    publishPerSecond: perSecond,
    connectionsPerPrincipal: check.integer({ min: 1, allowInfinity: true }),
    authentications: count,
    rate: check.object<RateLimits>(ratesShape),
    principalRate: check.object<RateLimits>(ratesShape),
    window: check.object<NonNullable<HubLimits['window']>>({ events: count, bytes: count }),
  }),
  log: check.object<EventLogOptions>({
    maxEvents: count,
    maxBytes: count,
    maxAgeMs: check.durationMs({ min: 1, allowInfinity: true, allowLong: true }),
  }),
  confirm: check.oneOf(['hub', 'subscribers']),
  sessionTtlMs: check.durationMs({ allowLong: true }),
  holdMs: check.durationMs(),
  graceMs: check.durationMs(),
  heartbeatMs: check.durationMs({ min: 1 }),
  helloMs: check.durationMs({ min: 1 }),
  onError: check.func,
})

/** Fills in the defaults. The options have passed the {@link BUS_V1_SHAPE}. @throws `ConfigError` for a hub that would be open by accident */
function resolveBusV1(options: HubBusV1Options): ResolvedHubBusV1Options {
  const { authenticate, allowAnonymous = busV1Defaults.allowAnonymous } = options
  if (authenticate === undefined && !allowAnonymous) {
    throw new ConfigError(
      'authenticate',
      'Expected `authenticate` to be a function or `allowAnonymous` to be true: a hub is not open by accident',
    )
  }
  const confirm = options.confirm ?? busV1Defaults.confirm
  const { window, rate, principalRate, ...limits } = options.limits ?? {}
  return Object.freeze({
    authenticate,
    allowAnonymous,
    authorize: options.authorize,
    source: options.source ?? busV1Defaults.source,
    origins: [...(options.origins ?? [])],
    hosts: options.hosts === undefined ? undefined : [...options.hosts],
    limits: Object.freeze({
      ...busV1Defaults.limits,
      ...given(limits),
      window: Object.freeze({ ...busV1Defaults.limits.window, ...given(window ?? {}) }),
      rate: Object.freeze({ ...busV1Defaults.limits.rate, ...given(rate ?? {}) }),
      principalRate: Object.freeze({
        ...busV1Defaults.limits.principalRate,
        ...given(principalRate ?? {}),
      }),
    }),
    log: Object.freeze({ ...busV1Defaults.log, ...given(options.log ?? {}) }),
    confirm,
    sessionTtlMs: options.sessionTtlMs ?? busV1Defaults.sessionTtlMs,
    holdMs: options.holdMs ?? busV1Defaults.holdMs,
    graceMs: options.graceMs ?? (confirm === 'subscribers' ? GRACE_MS : 0),
    heartbeatMs: options.heartbeatMs ?? busV1Defaults.heartbeatMs,
    helloMs: options.helloMs ?? busV1Defaults.helloMs,
    onError: options.onError,
  })
}

/** Without what is `undefined`, which would hide a default. */
function given<T extends object>(options: T): Partial<Filled<T>> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<Filled<T>>
}
