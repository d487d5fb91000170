/** The options of the WebSocket transport, and what each means to the caller. */

import type { Agent } from 'node:http'
import type {
  BreakerOptions,
  BusError,
  Clock,
  MetricsCollector,
  QueueOptions,
  Random,
  TelemetryOptions,
} from '@bus/core'
import type { Filled } from '@bus/core/kit'
import type { HeartbeatProfile } from '../../protocol/heartbeat-profile.ts'
import type { Frame, PlainProtocol, Protocol } from '../../protocol/protocol.ts'
import type { Admission } from './admission.ts'
import type { ConnectionWatcher } from './connection-watch.ts'

/** HTTP headers by name. */
export type Headers = Readonly<Record<string, string>>

/** The attempt to connect for which a function of the options is called. */
export interface AttemptContext {
  /** 1 for the first attempt since the last stable connection. */
  readonly attempt: number
  /** Aborted when the attempt's deadline passes or the transport closes. */
  readonly signal: AbortSignal
}

/** Makes the headers of one attempt, for instance with a token that is still valid. */
export type HeaderFactory = (context: AttemptContext) => Headers | Promise<Headers>

/** Says where one attempt goes, for instance by asking a service registry. */
export type UrlFactory = (context: AttemptContext) => string | URL | Promise<string | URL>

/** Gets the certificates and keys of one attempt, for instance from files that are replaced from time to time. */
export type TlsFactory = (context: AttemptContext) => TlsOptions | Promise<TlsOptions>

/** Whom to trust and who we are, named as in `tls.connect` of Node; PEM text or bytes. */
export interface TlsOptions {
  /** Certificate authorities to trust instead of the well-known ones. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  /** Our certificate, where the server requires one. */
  readonly cert?: string | Uint8Array | undefined
  /** The private key of {@link TlsOptions.cert}, not encrypted. */
  readonly key?: string | Uint8Array | undefined
  /** The name that the server's certificate must carry. @default the host of the URL */
  readonly servername?: string | undefined
  /** `false` accepts any certificate, so anybody on the way can read and change everything. @default true */
  readonly rejectUnauthorized?: boolean | undefined
}

/** Deadlines: bytes that trickle in do not extend them. */
export interface TimeoutOptions {
  /** Milliseconds for headers, name lookup, TCP, TLS and handshake together. @default 10_000 */
  readonly connectMs?: number | undefined
  /** Milliseconds for `onOpen`, authentication and subscriptions together, anew after each answer that came. @default 10_000 */
  readonly bootstrapMs?: number | undefined
  /** Milliseconds that the other side gets to answer our close before the socket is destroyed. @default 2_000 */
  readonly closeMs?: number | undefined
}

/** The new connection, as `onOpen` gets it. */
export interface BootstrapConnection {
  /** 1 for the first connection that got this far, growing with each. */
  readonly generation: number
  /** Which attempt in a row this is. */
  readonly attempt: number
  /** The negotiated subprotocol; empty where there is none. */
  readonly protocol: string
  /** Aborted when the connection is lost, `timeouts.bootstrapMs` passes or the transport closes. */
  readonly signal: AbortSignal
}

/** Makes the frames that the server expects before anything else. */
export type OnOpen = (
  connection: BootstrapConnection,
) => readonly Frame[] | Promise<readonly Frame[]>

/**
 * Milliseconds before the next attempt, or `'stop'` to give up for good: a `BackoffPolicy` of `@bus/core`, or a function of
 * yours. It is called before each wait, and may keep a state, which begins anew with attempt 1.
 *
 * @example
 * ```ts
 * import { webSocketTransport, type ReconnectBackoff } from '@bus/websocket'
 *
 * function fiveTries(): ReconnectBackoff {
 *   let delayMs = 1_000
 *   return (attempt, _random, error) => {
 *     console.warn(error.message)
 *     delayMs = attempt === 1 ? 1_000 : delayMs * 2
 *     return attempt > 5 ? 'stop' : delayMs
 *   }
 * }
 *
 * const transport = webSocketTransport({ url: 'ws://localhost:8080', reconnect: { backoff: fiveTries() } })
 * ```
 */
export type ReconnectBackoff = (
  this: void,
  /** 1 for the first attempt after the start, or after a link that lasted `stableAfterMs`. */
  attempt: number,
  random: Random,
  /** Why another attempt is needed. */
  error: BusError,
) => number | 'stop'

/** When and how often a lost link is made again. */
export interface ReconnectOptions {
  /** How long to wait before each attempt. What it throws is an `error` event, and the default is used instead. @default backoff.exponential({ initialMs: 250, maxMs: 5_000, jitter: 'full' }) */
  readonly backoff?: ReconnectBackoff | undefined
  /** Attempts after the first failure before giving up for good: an integer ≥ 0 or `Infinity`. @default Infinity */
  readonly maxAttempts?: number | undefined
  /** Milliseconds that a link must last before the attempts count from zero again. @default 10_000 */
  readonly stableAfterMs?: number | undefined
  /** Milliseconds without a link after which to give up for good. @default Infinity */
  readonly giveUpAfterMs?: number | undefined
  /**
   * Whether another attempt can help after this failure. `closeCode` is the one with which a link ended, and `undefined` for an
   * attempt that failed. @default `CLOSE_CODES` for the end of a link; refusals by status, certificates and mistakes in the
   * options are fatal, all else is transient
   */
  readonly classify?:
    | ((error: unknown, closeCode: number | undefined) => 'transient' | 'fatal')
    | undefined
}

/** Pings that notice a dead link which looks alive. */
export interface HeartbeatSettings {
  /** Milliseconds between pings; below the idle limit of every proxy on the way. @default 25_000 */
  readonly intervalMs?: number | undefined
  /** Milliseconds that the answer may take, at most `intervalMs`. @default 10_000 */
  readonly timeoutMs?: number | undefined
  /** Pings in a row without an answer after which the link is dropped. @default 1 */
  readonly maxMissed?: number | undefined
}

/** How one transport is known on `node:diagnostics_channel`. */
export interface TransportTelemetryOptions extends TelemetryOptions {
  /** The `id` of everything that this transport publishes there. @default a new UUID */
  readonly id?: string | undefined
}

/** How to reach a server over WebSocket, and what to do when it cannot be reached. */
export interface WebSocketTransportOptions {
  /**
   * `ws:` or `wss:`; path and query are kept. Credentials belong in `headers`. Of a list an attempt goes to the one that was connected
   * last, and after a failed attempt to the next one, in turn; all should lead to the same events, of servers of one kind. A
   * function is called for each attempt: what it throws, and what is no URL, fails the attempt.
   */
  readonly url: string | URL | readonly (string | URL)[] | UrlFactory
  /** How events travel in frames. @default busV1(), which falls back to plainJson() */
  readonly protocol?: Protocol | PlainProtocol | undefined
  /** Subprotocols to offer besides those of `protocol`, the preferred one first. @default [] */
  readonly protocols?: readonly string[] | undefined
  /** Headers of the handshake, or a function that makes them for each attempt. @default {} */
  readonly headers?: Headers | HeaderFactory | undefined
  /**
   * Lets credentials go over `ws:` to another machine, where anybody on the way can read them. Without it headers, a query, a
   * token that look like credentials are refused there. @default false
   */
  readonly allowInsecure?: boolean | undefined
  /**
   * Certificates and keys; only with `wss:`. A function is called for each attempt, so that renewed ones are used: what it throws,
   * and what cannot be used, fails the attempt. @default none
   */
  readonly tls?: TlsOptions | TlsFactory | undefined
  /** Makes the TCP connections, for instance through a proxy. What it does by itself is limited by `timeouts.connectMs`. @default Node's own */
  readonly agent?: Agent | undefined
  /**
   * `true`: an open connection does not keep the process alive, nor does the wait for the next attempt; a publish that has not settled, a
   * `connect()` and a `drain()` do. @default false
   */
  readonly unref?: boolean | undefined
  readonly timeouts?: TimeoutOptions | undefined
  /** Frames to send on each new connection before any event; a failure counts as a failed attempt. Not on `bus.v1`. @default none */
  readonly onOpen?: OnOpen | undefined
  /** `false`: the first loss closes the transport. @default on, without end */
  readonly reconnect?: false | ReconnectOptions | undefined
  /** `false`: no pings. @default on */
  readonly heartbeat?: false | HeartbeatSettings | undefined
  /**
   * Heartbeats in messages of their own, for servers that expect them; they are not delivered as events. Not on `bus.v1`, whose hub
   * needs none. @default none
   */
  readonly applicationHeartbeat?: HeartbeatProfile | undefined
  /** Milliseconds without any frame, pongs included, after which the link is dropped. @default no limit */
  readonly idleTimeoutMs?: number | undefined
  /**
   * Says that the server keeps failing; with `whenDisconnected: 'reject'` publishes then fail with `circuit-open`. It delays no
   * dialing: `reconnect.backoff` paces that. @default on
   */
  readonly breaker?: false | BreakerOptions | undefined
  /** What waits to be sent. @default 1_000 events, 16 MiB, strategy 'block', warning at 0.8 */
  readonly queue?: QueueOptions | undefined
  /**
   * Decides when each event may be sent, over all links: a `RateLimiter` of `@bus/rate-limit`. What may not be sent yet waits in
   * `queue`, in which its priorities may change the order. It is not closed with the transport. @default each at once
   */
  readonly admission?: Admission | undefined
  /** What a publish does while there is no link: wait in the queue, or reject at once. @default 'queue' */
  readonly whenDisconnected?: 'queue' | 'reject' | undefined
  /** Links that may break while one event is sent before it goes to the dead letters, an integer ≥ 1; no limit on `bus.v1`. @default 5 */
  readonly maxAttempts?: number | undefined
  /** Bytes that the socket may hold unsent; above it events wait in the queue. @default 1_048_576 */
  readonly highWaterMarkBytes?: number | undefined
  /**
   * The largest message in bytes, in both directions. The hub sends no larger one: an event that needs it becomes a
   * `gap` of reason `size`. Another server that sends one loses the connection. @default 1_048_576
   */
  readonly maxMessageBytes?: number | undefined
  /** Offers permessage-deflate: less bytes for some 250 kB of memory a socket. @default false */
  readonly compression?: boolean | undefined
  /** Under which names and with which id this transport publishes what it does. @default prefix 'bus', a new id */
  readonly telemetry?: TransportTelemetryOptions | undefined
  /** Gets what this transport does: connections, messages, errors, publishes. @default none */
  readonly metrics?: MetricsCollector | undefined
  /**
   * Sees what goes over each connection, both ways, with close and control frames: a `Recorder` of `@bus/recording`. It is not
   * closed with the transport. @default none
   */
  readonly watch?: ConnectionWatcher | undefined
  /** Time, for tests. @default the clock of the machine */
  readonly clock?: Clock | undefined
  /** Random numbers for jitter, for tests. @default Math.random */
  readonly random?: Random | undefined
}

/** An id that is not given is made by each transport. */
export interface ResolvedTelemetry {
  readonly prefix: string
  readonly id: string | undefined
}

/** When and how often a lost link is made again, with every default filled in. */
export type ResolvedReconnect = Filled<ReconnectOptions>

/** The options with every default filled in; frozen. Prints without secrets, and may be given to `resolveOptions` again. */
export interface ResolvedOptions {
  /** Normalised, with path and query. */
  readonly url: string | readonly string[] | UrlFactory
  readonly protocol: Protocol
  readonly protocols: readonly string[]
  readonly headers: Headers | HeaderFactory
  readonly tls: TlsOptions | TlsFactory | undefined
  readonly agent: Agent | undefined
  readonly unref: boolean
  readonly timeouts: Filled<TimeoutOptions>
  readonly onOpen: OnOpen | undefined
  readonly reconnect: false | ResolvedReconnect
  readonly heartbeat: false | Filled<HeartbeatSettings>
  readonly applicationHeartbeat: HeartbeatProfile | undefined
  readonly idleTimeoutMs: number | undefined
  readonly breaker: false | Filled<BreakerOptions>
  readonly queue: Filled<QueueOptions>
  readonly admission: Admission | undefined
  readonly whenDisconnected: 'queue' | 'reject'
  readonly maxAttempts: number
  readonly highWaterMarkBytes: number
  readonly maxMessageBytes: number
  readonly compression: boolean
  readonly allowInsecure: boolean
  readonly telemetry: ResolvedTelemetry
  readonly metrics: MetricsCollector | undefined
  readonly watch: ConnectionWatcher | undefined
  readonly clock: Clock
  readonly random: Random
}
