/** Channel subscriptions: what a server was asked to send, how each request stands, and all of it again on a new link. */
import {
  AbortedError,
  ClosedError,
  type Listenable,
  type ListenOptions,
  type Unsubscribe,
  type BusError,
  type WaitOptions,
} from '@bus/core'
import { check, Emitter, abortable, checkOptions } from '@bus/core/kit'
import type { Frame } from '@bus/websocket/protocol'
import { ChannelTable } from './channels/channel-table.ts'
import {
  resolveChannelOptions,
  type ChannelSubscriptionsOptions,
  type ResolvedChannelOptions,
} from './channels/channel-options.ts'
import { outcomesOf, throwFirst } from './channels/channel-outcomes.ts'
import { ChannelPatterns } from './channels/channel-patterns.ts'
import type {
  ChannelRecord,
  ChannelStatus,
  ChannelSubscription,
  Holder,
} from './channels/channel-record.ts'
import { ChannelServer } from './channels/channel-server.ts'
import { formatState, parseState } from './channels/channel-state.ts'
import type { RestoreReport } from './channels/restore-report.ts'
import { inBatches, type BatchOptions } from './channels/subscribe-batch.ts'
import type { PlatformSubscriptions } from './compose-protocol.ts'

/** What channel subscriptions tell. */
export interface ChannelNotices {
  /** A subscription has another status; `error` says why, where it failed, expired or was given up. */
  status: { readonly subscription: ChannelSubscription; readonly error?: Error }
  /** What was confirmed before was asked for again: on a new link, or after an import. */
  restored: RestoreReport
}

/** Holds what was subscribed to by a call that has succeeded. */
const BY_CALL: Holder = Symbol('call')

const checkChannels = check.arrayOf(check.string({ nonEmpty: true }))

/**
 * The channels of one transport's server. `withChannels` makes it part of a protocol.
 *
 * A channel is wanted while a bus subscription wants it, or from `subscribe` to `unsubscribe`. It makes no link: what is
 * subscribed to meanwhile is asked for on the next.
 */
export class ChannelSubscriptions implements Listenable<ChannelNotices> {
  readonly #options: ResolvedChannelOptions
  readonly #table: ChannelTable
  readonly #server: ChannelServer
  readonly #notices: Emitter<ChannelNotices>
  readonly #part: PlatformSubscriptions
  #closedBy: BusError | undefined

  /** @throws `ConfigError` naming the option */
  constructor(options: ChannelSubscriptionsOptions) {
    this.#options = resolveChannelOptions(options)
    this.#notices = new Emitter((error) => this.#server.report('listener', error))
    this.#table = new ChannelTable(this.#options, (subscription, error) =>
      this.#notices.emit(
        'status',
        error === undefined ? { subscription } : { subscription, error },
      ),
    )
    this.#server = new ChannelServer(this.#options, this.#table, (report) =>
      this.#notices.emit('restored', report),
    )
    this.#part = new ChannelPatterns(this.#options, this.#table, this.#server, () => this.#close())
  }

  /**
   * Subscribes, whoever wants the events; resolves when the server has confirmed every channel. The confirmed ones
   * stay, also when others fail.
   *
   * @throws `RejectedError` when the server refuses one, `TimeoutError` when it does not answer in time,
   * `AbortedError`, `QueueFullError`, `ClosedError`
   */
  async subscribe(
    channels: readonly string[],
    options: WaitOptions = {},
  ): Promise<readonly ChannelSubscription[]> {
    const names = namesOf(channels)
    const { signal } = checkWait(options)
    if (signal?.aborted === true) throw new AbortedError('Subscribing', { cause: signal.reason })
    const holder = Symbol('waiting')
    const records = this.#hold(names, holder)
    const outcomes = await outcomesOf(records, signal)
    for (const [i, record] of records.entries()) {
      // What is confirmed is held for good; what is not is given up, unless somebody else wants it.
      if (record.isLive && outcomes[i] === undefined) record.holders.add(BY_CALL)
      this.#table.release(record, holder)
    }
    if (records.some(({ isLive }) => !isLive)) this.#server.tidySoon()
    throwFirst(outcomes)
    return records.map((record) => record.look())
  }

  /**
   * Subscribes to many channels, some at a time; resolves when all are confirmed. The first failure is the last
   * request: it rejects the call, and what was confirmed before stays.
   *
   * @throws as {@link subscribe}
   */
  async subscribeBatch(
    channels: readonly string[],
    options: BatchOptions = {},
  ): Promise<readonly ChannelSubscription[]> {
    const names = namesOf(channels)
    return await inBatches(names, options, this.#options.clock, (batch, wait) =>
      this.subscribe(batch, wait),
    )
  }

  /**
   * Ends what `subscribe` began, at once; resolves when the server has taken note. Channels that bus subscriptions
   * want stay, and others are ignored.
   *
   * @throws `RejectedError` and `TimeoutError` of the server's, `AbortedError`
   */
  async unsubscribe(channels: readonly string[], options: WaitOptions = {}): Promise<void> {
    const { signal } = checkWait(options)
    for (const channel of namesOf(channels)) {
      const record = this.#table.find(channel)
      if (record?.isLive !== true) continue
      const calls = [...record.holders].filter((holder) => typeof holder === 'symbol')
      if (calls.length > 0) this.#table.release(record, ...calls)
    }
    await abortable(this.#server.tidy(), signal, 'Unsubscribing')
  }

  /** How the subscription with this id stands; `undefined` when it is not known, or not any more. */
  status(id: string): ChannelStatus | undefined {
    return this.#table.get(id)?.status
  }

  /** The newest subscription to this channel. */
  find(channel: string): ChannelSubscription | undefined {
    return this.#table.find(channel)?.look()
  }

  /** All that are known, or those with this status. */
  list(status?: ChannelStatus): readonly ChannelSubscription[] {
    return this.#table.all(status).map((record) => record.look())
  }

  /** All that are known, as JSON text for {@link importState}. */
  exportState(): string {
    return formatState(this.list())
  }

  /**
   * Adds what another process exported. What was pending or confirmed is wanted as after `subscribe`: it is asked for
   * at once, or on the next link, and `restored` tells what came of it. What is known already stays as it is.
   *
   * @throws `ConfigError` naming what is wrong, `QueueFullError`, `ClosedError`; nothing was added then
   */
  importState(json: string): void {
    const saved = parseState(json)
    if (this.#closedBy !== undefined) throw this.#closedBy
    this.#table.adopt(saved, BY_CALL)
    this.#server.resume()
  }

  on<K extends keyof ChannelNotices>(
    name: K,
    listener: (notice: ChannelNotices[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.#notices.on(name, listener, options)
  }

  /** A frame that the dialect cannot read: `true` when it is about channels. What it says is taken note of. */
  heard(frame: Frame): boolean {
    return this.#server.heard(frame)
  }

  /** What a protocol needs, to subscribe to what the bus wants: see `withChannels`. */
  get part(): PlatformSubscriptions {
    return this.#part
  }

  #hold(channels: readonly string[], holder: Holder): ChannelRecord[] {
    if (this.#closedBy !== undefined) throw this.#closedBy
    const records = this.#table.hold(channels, holder)
    this.#server.ask(records)
    return records
  }

  #close(): void {
    this.#closedBy = new ClosedError('The transport is closed', { outcome: 'not-sent' })
    for (const record of this.#table.live()) record.giveUp(this.#closedBy)
  }
}

function namesOf(channels: readonly string[]): readonly string[] {
  checkChannels('channels', channels)
  return [...new Set(channels)]
}

function checkWait(options: WaitOptions): WaitOptions {
  checkOptions<WaitOptions>('', options, {
    signal: check.abortSignal,
  })
  return options
}
