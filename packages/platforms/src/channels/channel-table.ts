/** The table of channel subscriptions: those that are live, and the newest of those that have ended. */
import { randomUUID } from 'node:crypto'
import { AbortedError, QueueFullError } from '@bus/core'
import {
  ChannelRecord,
  type Changed,
  type ChannelChange,
  type ChannelStatus,
  type Holder,
} from './channel-record.ts'

/** What bounds a table. */
export interface ChannelTableLimits {
  readonly maxChannels: number
  readonly keepEnded: number
}

/** What is known of a subscription that was in another table. */
export interface SavedRecord {
  readonly id: string
  readonly channel: string
  readonly history: readonly ChannelChange[]
}

/** At most one live record a channel. */
export class ChannelTable {
  readonly #limits: ChannelTableLimits
  readonly #changed: Changed
  /** All, in the order in which they were added. */
  readonly #byId = new Map<string, ChannelRecord>()
  /** The newest of each channel. */
  readonly #byChannel = new Map<string, ChannelRecord>()
  readonly #live = new Set<ChannelRecord>()
  /** In the order of their ends. */
  readonly #ended = new Set<ChannelRecord>()

  constructor(limits: ChannelTableLimits, changed: Changed) {
    this.#limits = limits
    this.#changed = changed
  }

  /**
   * Adds a holder to the live record of each channel, which is made where there is none.
   * @throws `QueueFullError` when there would be too many; none has the holder then
   */
  hold(channels: readonly string[], holder: Holder): ChannelRecord[] {
    const missing = channels.filter((channel) => !this.hasLive(channel))
    this.#assertRoom(missing.length)
    return channels.map((channel) => {
      const record = this.#liveOf(channel) ?? this.#begin(channel)
      record.holders.add(holder)
      return record
    })
  }

  /** Takes the holders away; a record that nobody holds then is unsubscribed. */
  release(record: ChannelRecord, ...holders: readonly Holder[]): void {
    for (const holder of holders) record.holders.delete(holder)
    if (record.holders.size > 0) return
    record.end('unsubscribed', new AbortedError(`Subscribing to \`${record.channel}\``))
  }

  /**
   * Adds those that were somewhere else before, the live ones with this holder; what is there already stays.
   * @throws `QueueFullError` when there would be too many; none is added then
   */
  adopt(saved: readonly SavedRecord[], holder: Holder): void {
    const records = saved
      .filter(({ id }) => !this.#byId.has(id))
      .map(({ id, channel, history }) => new ChannelRecord(id, channel, history, this.#onChange))
      .filter(({ isLive, channel }) => !isLive || !this.hasLive(channel))
    this.#assertRoom(records.filter(({ isLive }) => isLive).length)
    for (const record of records) {
      if (record.isLive) record.holders.add(holder)
      this.#add(record)
    }
  }

  hasLive(channel: string): boolean {
    return this.#liveOf(channel) !== undefined
  }

  /** Those that have not ended. */
  live(): ChannelRecord[] {
    return [...this.#live]
  }

  all(status?: ChannelStatus): ChannelRecord[] {
    return [...this.#byId.values()].filter((one) => status === undefined || one.status === status)
  }

  get(id: string): ChannelRecord | undefined {
    return this.#byId.get(id)
  }

  /** The newest of this channel. */
  find(channel: string): ChannelRecord | undefined {
    return this.#byChannel.get(channel)
  }

  #liveOf(channel: string): ChannelRecord | undefined {
    const newest = this.#byChannel.get(channel)
    return newest?.isLive === true ? newest : undefined
  }

  #assertRoom(count: number): void {
    const { maxChannels } = this.#limits
    if (count === 0 || this.#live.size + count <= maxChannels) return
    const message = `There would be more than ${maxChannels} channels`
    throw new QueueFullError(message, { outcome: 'not-sent' })
  }

  #begin(channel: string): ChannelRecord {
    const first = Object.freeze({ status: 'pending', at: Date.now() } as const)
    const record = new ChannelRecord(randomUUID(), channel, [first], this.#onChange)
    this.#add(record)
    this.#changed(record.look(), undefined)
    return record
  }

  #add(record: ChannelRecord): void {
    this.#byId.set(record.id, record)
    if (record.isLive) {
      this.#live.add(record)
      this.#byChannel.set(record.channel, record)
    } else {
      if (!this.hasLive(record.channel)) this.#byChannel.set(record.channel, record)
      this.#remember(record)
    }
  }

  #remember(record: ChannelRecord): void {
    this.#ended.add(record)
    for (const oldest of this.#ended) {
      if (this.#ended.size <= this.#limits.keepEnded) return
      this.#ended.delete(oldest)
      this.#byId.delete(oldest.id)
      if (this.#byChannel.get(oldest.channel) === oldest) this.#byChannel.delete(oldest.channel)
    }
  }

  readonly #onChange: Changed = (subscription, error) => {
    const record = this.#byId.get(subscription.id)
    if (record !== undefined && !record.isLive && this.#live.delete(record)) this.#remember(record)
    this.#changed(subscription, error)
  }
}
