/** The options of channel subscriptions: the messages of a dialect as functions, and the bounds. */
import { isType, type Clock } from '@bus/core'
import { check, checkOptions, systemClock, type Shape, type Filled } from '@bus/core/kit'
import type { Frame, ProtocolLink } from '@bus/websocket/protocol'

/** One request about channels. */
export interface ChannelRequest {
  /** Counts from 1, over all links: for servers that answer by id. */
  readonly id: number
  /** Where it is made. */
  readonly link: ProtocolLink
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/**
 * Makes one request about channels.
 *
 * Either gives its frame, whose answer `answer` finds. Or makes the request itself and resolves with the channels for
 * which it succeeded; with nothing, for all of them. One that rejects with an error of outcome `rejected`, such as
 * `RejectedError` and `RpcError`, was refused for all of them.
 */
export type ChannelAsk = (
  channels: readonly string[],
  request: ChannelRequest,
) => Frame | Promise<readonly string[] | void>

/** What a frame says about channels. Without `id` and `channels` it is about the request that waits. */
export interface ChannelAnswer {
  /** The request that it answers. */
  readonly id?: number | string
  /** The channels that it is about. @default all of the request */
  readonly channels?: readonly string[]
  /**
   * Everything that the connection is subscribed to by now, from servers that tell that: what was asked for and is
   * missing was refused, and what was confirmed and is missing has ended.
   */
  readonly current?: readonly string[]
  /** Why the channels were refused, or have ended. Absent: the request succeeded. */
  readonly error?: string | Error
}

/** How the channels of a server are subscribed to. */
export interface ChannelSubscriptionsOptions {
  /** Asks for channels. */
  readonly subscribe: ChannelAsk
  /** Says that channels are no longer wanted. @default the server is not told */
  readonly unsubscribe?: ChannelAsk | undefined
  /**
   * What a frame says about channels; `undefined` when it says nothing, as that of an event does. Shown frames only
   * while an answer is awaited, and those that the dialect cannot read.
   * @default none: a request that was sent has succeeded
   */
  readonly answer?: (frame: Frame) => ChannelAnswer | readonly ChannelAnswer[] | undefined
  /**
   * The channels that bring the events of a pattern which somebody subscribes to on the bus, wildcards and all. With
   * none, those who want the pattern get what other subscriptions bring. What it throws rejects that subscription alone: a
   * `ConfigError` as it is, anything else as the cause of a `RejectedError`.
   * @default the pattern itself, and none where it has wildcards
   */
  readonly channelsOf?: ((pattern: string) => readonly string[]) | undefined
  /** Milliseconds that the server gets to answer a request; then its channels are `expired`. @default 5_000 */
  readonly expiresMs?: number | undefined
  /**
   * Whether a new link is asked again for what was subscribed to by `subscribe`. `false`: that fails with its link. What
   * bus subscriptions want is asked for again in any case. @default true
   */
  readonly restore?: boolean | undefined
  /** The most channels in one request, an integer ≥ 1 or `Infinity`. @default Infinity */
  readonly channelsPerRequest?: number | undefined
  /** Channels that may be wanted at once, an integer ≥ 1. @default 10_000 */
  readonly maxChannels?: number | undefined
  /** Subscriptions that are remembered after their end, the newest, an integer ≥ 0. @default 1_000 */
  readonly keepEnded?: number | undefined
  /** Time, for tests. @default the clock of the machine */
  readonly clock?: Clock | undefined
}

/** The options with every default filled in. */
export type ResolvedChannelOptions = Readonly<
  Filled<Omit<ChannelSubscriptionsOptions, 'unsubscribe' | 'answer'>>
> &
  Pick<ChannelSubscriptionsOptions, 'unsubscribe' | 'answer'>

const SHAPE: Shape<ChannelSubscriptionsOptions> = Object.freeze({
  subscribe: check.required(check.func),
  unsubscribe: check.func,
  answer: check.func,
  channelsOf: check.func,
  expiresMs: check.durationMs({ min: 1 }),
  restore: check.boolean,
  channelsPerRequest: check.integer({ min: 1, allowInfinity: true }),
  maxChannels: check.integer({ min: 1 }),
  keepEnded: check.integer({ min: 0 }),
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
})

/** @throws `ConfigError` naming the option */
export function resolveChannelOptions(
  options: ChannelSubscriptionsOptions,
): ResolvedChannelOptions {
  checkOptions('', options, SHAPE)
  const { subscribe, unsubscribe, answer } = options
  return Object.freeze({
    subscribe,
    ...(unsubscribe === undefined ? {} : { unsubscribe }),
    ...(answer === undefined ? {} : { answer }),
    channelsOf: options.channelsOf ?? ((pattern: string) => (isType(pattern) ? [pattern] : [])),
    expiresMs: options.expiresMs ?? 5_000,
    restore: options.restore ?? true,
    channelsPerRequest: options.channelsPerRequest ?? Infinity,
    maxChannels: options.maxChannels ?? 10_000,
    keepEnded: options.keepEnded ?? 1_000,
    clock: options.clock ?? systemClock,
  })
}
