/** The server's side of channel subscriptions: what the link that there is was asked for, request by request. */
import { DisconnectedError, RejectedError, TimeoutError, type ErrorKind } from '@bus/core'
import type { Frame, ProtocolLink } from '@bus/websocket/protocol'
import type { ChannelTable } from './channel-table.ts'
import { ChannelExchange, refusal, type Verdict } from './channel-exchange.ts'
import type { ChannelAnswer, ResolvedChannelOptions } from './channel-options.ts'
import type { ChannelRecord } from './channel-record.ts'
import { partsOf } from './parts.ts'
import { reportOf, type RestoreReport } from './restore-report.ts'
import PQueue from 'p-queue'

/** Requests that are under way at the same time, where answers say what they are about. */
const MAX_SIDE_BY_SIDE = 32

/**
 * Requests go one after the other, so that an answer without an id has one request that it can be about. Where answers say what they
 * are about, those for different channels go side by side.
 */
export class ChannelServer {
  readonly #options: ResolvedChannelOptions
  readonly #table: ChannelTable
  readonly #restored: (report: RestoreReport) => void
  readonly #exchange: ChannelExchange
  readonly #requests = new PQueue({ concurrency: 1 })
  #link: ProtocolLink | undefined
  /** What the server of this link has, or may have. */
  readonly #has = new Map<string, 'asked' | 'given'>()
  /** What calls ask for, each by itself, that wait for the same turn: whoever asks before it begins, or before another one is due. */
  #calls: (readonly ChannelRecord[])[] | undefined
  /** Waits for its turn: whoever wants one meanwhile has it in common. */
  #tidying: Promise<void> | undefined
  /** What was refused while this link is made ready: it is not asked for twice. */
  readonly #refused = new Map<string, Error>()

  constructor(
    options: ResolvedChannelOptions,
    table: ChannelTable,
    restored: (report: RestoreReport) => void,
  ) {
    this.#options = options
    this.#table = table
    this.#restored = restored
    this.#exchange = new ChannelExchange(options, (said) => this.#overheard(said))
  }

  /** Tells of something that nobody waits for; without a link, nobody can be told. */
  report(kind: ErrorKind, error: unknown): void {
    this.#link?.report(kind, error instanceof Error ? error : new Error(String(error)))
  }

  /** Asks for those that are pending at their turn; without a link the next {@link restore} does. */
  ask(records: readonly ChannelRecord[]): void {
    if (records.every(({ status }) => status !== 'pending')) return
    this.#calls?.push(records)
    if (this.#calls !== undefined) return
    const calls = [records]
    this.#calls = calls
    const begun = (): void => {
      if (this.#calls === calls) this.#calls = undefined
    }
    const asked = this.#enqueue(async (link) => {
      begun()
      const unanswered = await this.#sideBySide(calls, (call) => this.#request(call, link))
      this.#expire(unanswered.flat())
    })
    // Without a link its turn has passed as well.
    this.#unwatched(asked.finally(begun))
  }

  /**
   * Asks a new link for everything that is wanted. What was refused is told, and the others live on.
   * @throws `TimeoutError` when nothing was answered: the next link may do better
   */
  async restore(link: ProtocolLink): Promise<void> {
    if (!this.#options.restore) this.#forget()
    this.#link = link
    this.#tidying = undefined
    this.#has.clear()
    this.#refused.clear()
    const records = this.#table.live()
    const again = this.#begin(records)
    await this.#requests.add(async () => {
      const unanswered = await this.#request(records, link)
      const hasAnswered = records.some(({ status }) => status !== 'pending')
      this.#expire(unanswered.filter((record) => hasAnswered || !record.wasConfirmed))
      if (!hasAnswered && again.length > 0) throw this.#unanswered()
    })
    if (again.length > 0) this.#restored(reportOf(again))
  }

  /** Asks for what was confirmed elsewhere; without a link the next {@link restore} does. */
  resume(): void {
    if (this.#current() === undefined) return
    const records = this.#table.live().filter((record) => !this.#isGiven(record))
    const again = this.#begin(records)
    const resumed = this.#enqueue(async (link) => {
      this.#expire(await this.#request(records, link))
      if (again.length > 0) this.#restored(reportOf(again))
    })
    this.#unwatched(resumed)
  }

  /** The link is ready: who asks again for what it refused is asking anew. */
  up(): void {
    this.#refused.clear()
  }

  /** Why this link refused one of the channels while it was made ready. */
  refusalOf(channels: readonly string[]): Error | undefined {
    const refused = channels.find((channel) => this.#refused.has(channel))
    return refused === undefined ? undefined : this.#refused.get(refused)
  }

  /** Tells the server what is not wanted any more: one request for everything that ended before its turn. */
  tidy(): Promise<void> {
    if (this.#tidying !== undefined) return this.#tidying
    // What is asked for from now on comes behind this.
    this.#calls = undefined
    const turn = { hasBegun: false }
    const tidying = this.#enqueue(async (link) => {
      turn.hasBegun = true
      this.#tidying = undefined
      await this.#retract(link)
    })
    // Its turn may have been at once.
    if (!turn.hasBegun && this.#current() !== undefined) this.#tidying = tidying
    return tidying
  }

  /** The same where nobody waits for it. */
  tidySoon(): void {
    this.#unwatched(this.tidy())
  }

  /** Whether the frame is about channels. */
  heard(frame: Frame): boolean {
    const said = this.#exchange.read(frame)
    if (said === undefined) return false
    this.#overheard(said)
    for (const { id, channels, error } of said) {
      // It is about nothing that could fail, so that this is how somebody learns of it.
      if (error !== undefined && id === undefined && channels === undefined) {
        this.report('subscription', refusal(error))
      }
    }
    return true
  }

  /** What nothing but calls wanted has ended with its link. */
  #forget(): void {
    for (const record of this.#table.live()) {
      const isByCall = [...record.holders].every((holder) => typeof holder === 'symbol')
      if (!isByCall || !this.#isGiven(record)) continue
      record.end('failed', new DisconnectedError('The subscription ended with its link'))
    }
  }

  async #retract(link: ProtocolLink): Promise<void> {
    const gone = [...this.#has.keys()].filter((channel) => !this.#table.hasLive(channel))
    for (const channel of gone) this.#has.delete(channel)
    const failures: Error[] = []
    for (const channels of partsOf(gone, this.#options.channelsPerRequest)) {
      const { refused, granted } = await this.#exchange.run('unsubscribe', channels, link)
      failures.push(...refused.values())
      if (refused.size + granted.size < channels.length) failures.push(this.#unanswered())
    }
    if (failures[0] !== undefined) throw failures[0]
  }

  /** Those that were confirmed must be confirmed again. */
  #begin(records: readonly ChannelRecord[]): readonly ChannelRecord[] {
    for (const record of records) record.restore()
    return records.filter(({ wasConfirmed }) => wasConfirmed)
  }

  /** @returns those that were not answered; they are still pending */
  async #request(records: readonly ChannelRecord[], link: ProtocolLink): Promise<ChannelRecord[]> {
    const pending = records.filter(({ status }) => status === 'pending')
    for (const record of pending) if (this.#isGiven(record)) record.confirm()
    const missing = pending.filter((record) => !this.#isGiven(record))
    const { channelsPerRequest: size } = this.#options
    const unanswered = await this.#sideBySide([...partsOf(missing, size)], async (part) => {
      const asked = part.filter(({ status }) => status === 'pending')
      if (asked.length === 0) return []
      const channels = asked.map(({ channel }) => channel)
      for (const channel of channels) this.#has.set(channel, 'asked')
      const verdict = await this.#exchange.run('subscribe', channels, link)
      return asked.filter((record) => !this.#apply(record, verdict))
    })
    return unanswered.flat()
  }

  /** One after the other until answers say what they are about, and then as many at a time as may be. */
  async #sideBySide<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
    const results: R[] = []
    let next = 0
    const work = async (): Promise<void> => {
      for (let i = next++; i < items.length; i = next++) {
        const item = items[i] as T
        results[i] = await run(item)
        if (!this.#exchange.isAttributed) continue
        while (workers.length < MAX_SIDE_BY_SIDE && next + workers.length <= items.length)
          workers.push(work())
      }
    }
    const workers: Promise<void>[] = []
    await work()
    await Promise.all(workers)
    return results
  }

  /** `false` when the server has not said anything about it. */
  #apply(record: ChannelRecord, { granted, refused }: Verdict): boolean {
    const { channel } = record
    const error = refused.get(channel)
    if (granted.has(channel)) {
      this.#has.set(channel, 'given')
      record.confirm()
    } else if (error !== undefined) {
      this.#has.delete(channel)
      this.#refused.set(channel, error)
      record.end('failed', error)
    } else return false
    return true
  }

  #expire(records: readonly ChannelRecord[]): void {
    if (records.length === 0) return
    for (const record of records) record.end('expired', this.#unanswered())
    // The server may have taken them all the same.
    this.tidySoon()
  }

  /** What the server says of its own accord: something that was confirmed has ended. */
  #overheard(said: readonly ChannelAnswer[]): void {
    for (const { channels = [], current, error } of said) {
      if (current === undefined && error === undefined) continue
      const [named, left] = [
        new Set(channels),
        current === undefined ? undefined : new Set(current),
      ]
      for (const record of this.#table.live()) {
        const { channel, status } = record
        if (status !== 'confirmed' || !this.#isGiven(record)) continue
        const isNamed = error !== undefined && named.has(channel)
        if (isNamed || left?.has(channel) === false) this.#ended(record, error)
      }
    }
  }

  #ended(record: ChannelRecord, error: string | Error | undefined): void {
    const why = error === undefined ? '' : `: ${error instanceof Error ? error.message : error}`
    const cause = error instanceof Error ? { cause: error } : {}
    this.#has.delete(record.channel)
    const message = `The server has ended \`${record.channel}\`${why}`
    record.end('failed', new RejectedError(message, cause))
  }

  #isGiven({ channel }: ChannelRecord): boolean {
    return this.#has.get(channel) === 'given'
  }

  #unwatched(work: Promise<void>): void {
    work.catch((error: unknown) => this.report('subscription', error))
  }

  #unanswered(): TimeoutError {
    const { failure } = this.#exchange
    const message = `The server did not answer within ${this.#options.expiresMs} ms`
    return new TimeoutError(message, failure === undefined ? {} : { cause: failure })
  }

  #current(): ProtocolLink | undefined {
    return this.#link?.signal.aborted === true ? undefined : this.#link
  }

  /** Runs on the link that there is at its turn; what its loss interrupts is for the next one. */
  async #enqueue(run: (link: ProtocolLink) => Promise<void>): Promise<void> {
    await this.#requests.add(async () => {
      const link = this.#current()
      if (link === undefined) return
      try {
        await run(link)
      } catch (error) {
        if (!link.signal.aborted && !(error instanceof DisconnectedError)) throw error
      }
    })
  }
}
