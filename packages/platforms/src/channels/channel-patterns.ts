/** The channels of patterns: what bus subscriptions want, link by link. */
import { ConfigError, RejectedError } from '@bus/core'
import { check } from '@bus/core/kit'
import type { ProtocolLink } from '@bus/websocket/protocol'
import type { PlatformSubscriptions } from '../compose-protocol.ts'
import type { ChannelTable } from './channel-table.ts'
import type { ResolvedChannelOptions } from './channel-options.ts'
import { outcomesOf, throwFirst } from './channel-outcomes.ts'
import type { ChannelRecord, Holder } from './channel-record.ts'
import type { ChannelServer } from './channel-server.ts'

const checkChannels = check.arrayOf(check.string({ nonEmpty: true }))

/** A pattern holds its channels from the request on, until the transport says that nobody wants it. */
export class ChannelPatterns implements PlatformSubscriptions {
  /** Those with wildcards are not asked for, and get what others bring. */
  readonly wildcards = true
  readonly #options: Pick<ResolvedChannelOptions, 'channelsOf'>
  readonly #table: ChannelTable
  readonly #server: ChannelServer
  /** The transport has ended. */
  readonly close: () => void

  constructor(
    options: Pick<ResolvedChannelOptions, 'channelsOf'>,
    table: ChannelTable,
    server: ChannelServer,
    close: () => void,
  ) {
    this.#options = options
    this.#table = table
    this.#server = server
    this.close = close
  }

  async restore(patterns: readonly string[], link: ProtocolLink): Promise<void> {
    const wanted = new Set<Holder>(patterns)
    // Some may have ended while there was no link, so that the server could not be told.
    this.#release((holder) => typeof holder === 'string' && !wanted.has(holder))
    for (const pattern of patterns) this.#holdAgain(pattern)
    await this.#server.restore(link)
  }

  async subscribe(patterns: readonly string[], link: ProtocolLink): Promise<void> {
    const wanted = patterns.map((pattern) => ({ pattern, records: this.#hold(pattern) }))
    const all = wanted.flatMap(({ records }) => records)
    this.#server.ask(all)
    const outcomes = await outcomesOf(all, link.signal)
    if (link.signal.aborted) throw link.signal.reason
    const failed = wanted.filter(({ records }) => records.some(({ isLive }) => !isLive))
    for (const { pattern } of failed) this.#release((holder) => holder === pattern)
    throwFirst(outcomes)
  }

  async unsubscribe(patterns: readonly string[]): Promise<void> {
    const gone = new Set<Holder>(patterns)
    this.#release((holder) => gone.has(holder))
    await this.#server.tidy()
  }

  up(): void {
    this.#server.up()
  }

  /** A pattern that has no channels fails by itself, when it is subscribed to, and not the link of all others. */
  #holdAgain(pattern: string): void {
    let channels: readonly string[]
    try {
      channels = this.#channelsOf(pattern)
    } catch {
      return
    }
    this.#table.hold(channels, pattern)
  }

  #hold(pattern: string): readonly ChannelRecord[] {
    const channels = this.#channelsOf(pattern)
    const refused = this.#server.refusalOf(channels)
    if (refused !== undefined) throw refused
    return this.#table.hold(channels, pattern)
  }

  #release(isGone: (holder: Holder) => boolean): void {
    for (const record of this.#table.live()) {
      const gone = [...record.holders].filter(isGone)
      if (gone.length > 0) this.#table.release(record, ...gone)
    }
  }

  #channelsOf(pattern: string): readonly string[] {
    try {
      const channels: unknown = this.#options.channelsOf(pattern)
      checkChannels('channelsOf', channels)
      return [...new Set(channels as readonly string[])]
    } catch (error) {
      if (error instanceof ConfigError) throw error
      const { message } = error instanceof Error ? error : new Error(String(error))
      throw new RejectedError(`There are no channels for \`${pattern}\`: ${message}`, {
        cause: error,
      })
    }
  }
}
