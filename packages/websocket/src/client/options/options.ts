/** The options of the WebSocket transport, what each means to the caller, and what holds where it is not given. */
import type {
  BackoffPolicy,
  BreakerOptions,
  BusError,
  Clock,
  Event,
  MetricsCollector,
  QueueOptions,
  Random,
  RecordOptions,
  RecordTarget,
  RateLimitOptions,
  ResolvedRateLimit,
} from '@bus/core'
import type { HeartbeatProfile } from '../../platform/heartbeat-profile.ts'
import type { Frame, Protocol } from '../../protocol/protocol.ts'
import type { Handlers } from './handlers.ts'
import type { ResolvedTelemetry, TransportTelemetryOptions } from './telemetry-options.ts'
import type { Headers } from './headers.ts'

export type { Headers } from './headers.ts'

/** Makes the headers of one attempt, for instance with a token that is still valid. */
export type HeaderFactory = (context: {
  /** 1 for the first attempt since the last stable connection. */
  readonly attempt: number
  /** Aborted when the attempt's deadline passes or the transport closes. */
  readonly signal: AbortSignal
}) => Headers | Promise<Headers>

/** Certificates and keys, as in `tls.createSecureContext`; PEM text or bytes. */
export interface TlsOptions {
  /** Certificate authorities to trust instead of the well-known ones. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** Our certificate, where the server asks for one. */
  readonly cert?: string | Uint8Array
  /** The private key of {@link TlsOptions.cert}. */
  readonly key?: string | Uint8Array
  /** Opens `key` or `pfx`. */
  readonly passphrase?: string
  /** Certificate and key in one PKCS #12 file. */
  readonly pfx?: string | Uint8Array
  /** The name that the server's certificate must carry. @default the host of the URL */
  readonly servername?: string
  /** `false` accepts any certificate, so anybody on the way can read and change everything. @default true */
  readonly rejectUnauthorized?: boolean
  /** The oldest version of TLS to accept. @default 'TLSv1.2' */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** Deadlines, each absolute: bytes that trickle in do not extend them. */
export interface TimeoutOptions {
  /** Milliseconds for headers, name lookup, TCP, TLS and handshake together. @default 10_000 */
  readonly connectMs?: number
  /** Milliseconds for `onOpen`, authentication and subscriptions together. @default 10_000 */
  readonly bootstrapMs?: number
  /** Milliseconds that the other side gets to answer our close before the socket is destroyed. @default 2_000 */
  readonly closeMs?: number
}

/** What `onOpen` gets to know of the new connection. */
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

/** What a retry function decides: how long to wait and what to remember, or that it was enough. */
export type RetryDecision<S = unknown> =
  | {
      /** Milliseconds before the next attempt, at most 2^31-1. */
      readonly delayMs: number
      /** What the next call gets; left out, it gets the same again. */
      readonly state?: S
    }
  | 'stop'

/** When and how often a lost link is made again. */
export interface ReconnectOptions {
  /** How long to wait before each attempt. @default backoff.exponential({ initialMs: 250, maxMs: 30_000, jitter: 'full' }) */
  readonly backoff?: BackoffPolicy
  /** Attempts after the first failure before giving up for good: an integer ≥ 0 or `Infinity`. @default Infinity */
  readonly maxAttempts?: number
  /** Milliseconds that a link must last before the attempts count from zero again. @default 10_000 */
  readonly stableAfterMs?: number
  /** Milliseconds without a link after which to give up for good. @default Infinity */
  readonly giveUpAfterMs?: number
  /** Whether another attempt can help after this failure. @default refusals by status, certificates and mistakes in the options are fatal, all else is transient */
  readonly classify?: (error: unknown) => 'transient' | 'fatal'
  /** Whether to connect again after a link ended with this close code. @default what `CLOSE_CODES` says */
  readonly closePolicy?: (code: number) => 'reconnect' | 'stop'
  /**
   * Decides after each failure how long to wait, in the place of `backoff`. `state` is what the call before gave back,
   * whatever it holds; `'stop'` gives up for good. What it throws is told as an `error` notice, and `backoff` stands in.
   * @default none
   */
  retry?(this: void, state: unknown, error: BusError): RetryDecision
  /** What the first call gets, and the first after a link that lasted `stableAfterMs`. @default undefined */
  readonly retryState?: unknown
}

/** Pings that notice a dead link which looks alive. */
export interface HeartbeatSettings {
  /** Milliseconds between pings; below the idle limit of every proxy on the way. @default 25_000 */
  readonly intervalMs?: number
  /** Milliseconds that the answer may take, at most `intervalMs`. @default 10_000 */
  readonly timeoutMs?: number
  /** Pings in a row without an answer after which the link is dropped. @default 1 */
  readonly maxMissed?: number
}

/** How to reach a server over WebSocket, and what to do when it cannot be reached. */
export interface WebSocketTransportOptions {
  /** `ws:` or `wss:`; path and query are kept. Credentials belong in `headers`. */
  readonly url: string | URL
  /** How events travel in frames. @default busV1(), which falls back to plainJson() */
  readonly protocol?: Protocol
  /** Subprotocols to offer besides those of `protocol`, the preferred one first. @default [] */
  readonly protocols?: readonly string[]
  /** Headers of the handshake, or a function that makes them for each attempt. @default {} */
  readonly headers?: Headers | HeaderFactory
  /**
   * Lets credentials go over `ws:` to another machine, where anybody on the way can read them. Without it headers, a query, a
   * token or a handler that look like credentials are refused there. @default false
   */
  readonly allowInsecure?: boolean
  /** Certificates and keys; only with `wss:`. @default none */
  readonly tls?: TlsOptions
  readonly timeouts?: TimeoutOptions
  /** Frames to send on each new connection before any event; a failure counts as a failed attempt. Not on `bus.v1`. @default none */
  readonly onOpen?: OnOpen
  /** `false`: the first loss closes the transport. @default on, without end */
  readonly reconnect?: false | ReconnectOptions
  /** `false`: no pings. @default on */
  readonly heartbeat?: false | HeartbeatSettings
  /**
   * Heartbeats in messages of their own, for servers that ask for them; they are not delivered as events. Not on `bus.v1`, whose hub
   * needs none. @default none
   */
  readonly applicationHeartbeat?: HeartbeatProfile
  /** Milliseconds without any frame, pongs included, after which the link is dropped. @default no limit */
  readonly idleTimeoutMs?: number
  /** Stops dialing a server that keeps failing; with `whenDisconnected: 'reject'` publishes then fail with `circuit-open`. @default on */
  readonly breaker?: false | BreakerOptions
  /** What waits to be sent. @default 1_000 events, 16 MiB, strategy 'block', warning at 0.8 */
  readonly queue?: QueueOptions
  /**
   * How many events may be sent, also over several links: what waits for tokens waits in `queue`, in which `priority` may
   * change the order. @default no limit
   */
  readonly rateLimit?: RateLimitOptions<Event>
  /** What a publish does while there is no link: wait in the queue, or reject at once. @default 'queue' */
  readonly whenDisconnected?: 'queue' | 'reject'
  /** Links that may break while one event is sent before it goes to the dead letters, an integer ≥ 1; no limit on `bus.v1`. @default 5 */
  readonly maxAttempts?: number
  /** Bytes that the socket may hold unsent; above it events wait in the queue. @default 1_048_576 */
  readonly highWaterMarkBytes?: number
  /**
   * The largest message in bytes, in both directions. The hub sends no larger one: an event that needs it is told as a
   * `gap` of reason `size`. Another server that sends one loses the connection. @default 1_048_576
   */
  readonly maxMessageBytes?: number
  /** Offers permessage-deflate: less bytes for some 250 kB of memory a socket. @default false */
  readonly compression?: boolean
  /** What this client does in its own way: messages, errors, authentication, logs and more. @default {} */
  readonly handlers?: Handlers
  /** Under which names and with which id this transport tells what it does. @default prefix 'bus', a new id */
  readonly telemetry?: TransportTelemetryOptions
  /** Gets what this transport does: connections, messages, errors, publishes. @default none */
  readonly metrics?: MetricsCollector
  /**
   * Records what goes over the connections, both ways, with close and control frames: into a file, which is appended to, or a
   * stream. Messages are written as they are, so keep it like a secret; `replay` reads it. Where it cannot be written an
   * `error` notice of kind `recording` tells so, and all goes on without. @default nothing is recorded
   */
  readonly record?: RecordTarget | RecordOptions
  /** Time, for tests. @default the clock of the machine */
  readonly clock?: Clock
  /** Random numbers for jitter, for tests. @default Math.random */
  readonly random?: Random
}

/** The defaults that are plain values. */
export interface Defaults {
  readonly timeouts: Readonly<Required<TimeoutOptions>>
  readonly reconnect: Readonly<
    Required<Pick<ReconnectOptions, 'maxAttempts' | 'stableAfterMs' | 'giveUpAfterMs'>>
  >
  /** The parameters of the exponential backoff. */
  readonly backoff: { readonly initialMs: number; readonly maxMs: number; readonly jitter: 'full' }
  readonly heartbeat: Readonly<Required<HeartbeatSettings>>
  readonly breaker: Readonly<Required<BreakerOptions>>
  readonly queue: Readonly<Required<QueueOptions>>
  readonly whenDisconnected: 'queue' | 'reject'
  readonly maxAttempts: number
  readonly highWaterMarkBytes: number
  readonly maxMessageBytes: number
  readonly compression: boolean
  readonly allowInsecure: boolean
}

const MIB = 1024 * 1024

/** What holds for every option that is not given. */
export const defaults: Defaults = Object.freeze({
  timeouts: Object.freeze({ connectMs: 10_000, bootstrapMs: 10_000, closeMs: 2_000 }),
  reconnect: Object.freeze({
    maxAttempts: Infinity,
    stableAfterMs: 10_000,
    giveUpAfterMs: Infinity,
  }),
  backoff: Object.freeze({ initialMs: 250, maxMs: 30_000, jitter: 'full' }),
  heartbeat: Object.freeze({ intervalMs: 25_000, timeoutMs: 10_000, maxMissed: 1 }),
  breaker: Object.freeze({ failureThreshold: 5, openMs: 60_000, successThreshold: 2 }),
  queue: Object.freeze({
    capacity: 1_000,
    maxBytes: 16 * MIB,
    strategy: 'block',
    warningThreshold: 0.8,
  }),
  whenDisconnected: 'queue',
  maxAttempts: 5,
  highWaterMarkBytes: MIB,
  maxMessageBytes: MIB,
  compression: false,
  allowInsecure: false,
})

/** When and how often a lost link is made again, with every default filled in. */
export type ResolvedReconnect = Readonly<
  Required<Omit<ReconnectOptions, 'retry' | 'retryState'>> &
    Pick<ReconnectOptions, 'retry' | 'retryState'>
>

/** The options with every default filled in; frozen. Prints without secrets, and may be given to `resolveOptions` again. */
export interface ResolvedOptions {
  /** Normalised, with path and query. */
  readonly url: string
  readonly protocol: Protocol
  readonly protocols: readonly string[]
  readonly headers: Headers | HeaderFactory
  readonly tls: TlsOptions | undefined
  readonly timeouts: Readonly<Required<TimeoutOptions>>
  readonly onOpen: OnOpen | undefined
  readonly reconnect: false | ResolvedReconnect
  readonly heartbeat: false | Readonly<Required<HeartbeatSettings>>
  readonly applicationHeartbeat: HeartbeatProfile | undefined
  readonly idleTimeoutMs: number | undefined
  readonly breaker: false | Readonly<Required<BreakerOptions>>
  readonly queue: Readonly<Required<QueueOptions>>
  readonly rateLimit: ResolvedRateLimit<Event> | undefined
  readonly whenDisconnected: 'queue' | 'reject'
  readonly maxAttempts: number
  readonly highWaterMarkBytes: number
  readonly maxMessageBytes: number
  readonly compression: boolean
  readonly allowInsecure: boolean
  readonly handlers: Handlers | undefined
  readonly telemetry: ResolvedTelemetry
  readonly metrics: MetricsCollector | undefined
  readonly record: Readonly<Required<RecordOptions>> | undefined
  readonly clock: Clock
  readonly random: Random
}
