/** The subscribing half of a `bus.v1` session: what is wanted, what has come, what is settled. */

import { DecodeError, type Clock, type Gap } from '@bus/core'
import { after } from '@bus/core/kit'
import { ackLine } from '../../protocol/bus-v1/client-lines.ts'
import type { Hello, WireMode, WireSubscription } from '../../protocol/bus-v1/hello.ts'
import { wireDefaults, type WireLimits } from '../../protocol/bus-v1/limits.ts'
import type { Gap as WireGap, Welcome } from '../../protocol/bus-v1/welcome.ts'
import type { Registry } from '../subscriptions/registry.ts'
import { decodeBody } from '../../protocol/bus-v1/body.ts'
import { Cursor, ResentFilter } from './cursor.ts'

export interface SubscriberPorts {
  readonly registry: Registry
  readonly clock: Clock
  /** An acknowledgement is due: the writer may run. */
  ackDue(): void
  gap(gap: Gap): void
  received(): void
  undecodable(error: Error, line: string): void
}

/** Lives as long as the transport; the log that its offsets belong to may change. */
export class Subscriber {
  readonly #ports: SubscriberPorts
  readonly #cursor = new Cursor()
  readonly #filter = new ResentFilter()
  readonly #unreadable = new UnreadableEvents()
  /** What the hub was asked for: the id of each pattern, and how it is delivered. */
  readonly #asked = new Map<string, { readonly id: number; readonly mode: WireMode }>()
  #lastId = 0
  #epoch: string | undefined
  #limits: WireLimits = wireDefaults
  #acked = 0
  /** The last offset that the hub named on this link: it takes no acknowledgement beyond. */
  #told = 0
  /** Between the welcome and the end of a link. */
  #isOpen = false
  #isAckDue = false
  #stopTimer: (() => void) | undefined

  constructor(ports: SubscriberPorts) {
    this.#ports = ports
  }

  /** Where a new link goes on. Nothing when nothing was ever subscribed: then there is nothing to go on with. */
  begin(patterns: ReadonlySet<string>): Pick<Hello, 'epoch' | 'offset'> {
    this.down()
    for (const pattern of this.#asked.keys())
      if (!patterns.has(pattern)) this.#asked.delete(pattern)
    if (this.#epoch === undefined || this.#asked.size === 0) {
      this.#acked = this.#told = 0
      return {}
    }
    const offset = this.#cursor.position
    this.#acked = this.#told = offset
    return { epoch: this.#epoch, offset }
  }

  /** The subscriptions as a link names them; a pattern keeps its id from link to link. */
  wanted(patterns: readonly string[]): WireSubscription[] {
    return patterns.map((pattern) => {
      const id = this.#asked.get(pattern)?.id ?? ++this.#lastId
      const mode = this.#ports.registry.isSettled(pattern) ? 'alo' : 'amo'
      this.#asked.set(pattern, { id, mode })
      return { id, pattern, mode }
    })
  }

  /** Whether the hub may let events of the pattern go that somebody wants to settle. */
  lacks(pattern: string): boolean {
    return this.#asked.get(pattern)?.mode === 'amo' && this.#ports.registry.isSettled(pattern)
  }

  /**
   * The id under which the hub knows the pattern, which it then forgets.
   *
   * @param only - forgotten only if this is the id: the pattern may have been asked for again under another one
   */
  forget(pattern: string, only?: number): number | undefined {
    const id = this.#asked.get(pattern)?.id
    if (only !== undefined && id !== only) return undefined
    this.#asked.delete(pattern)
    return id
  }

  /** The last offset of this link. */
  get told(): number {
    return this.#told
  }

  welcome(welcome: Welcome): void {
    this.#limits = welcome.limits
    // A log that ends before what came from it is another one under the same name, such as a copy of an earlier state.
    const isSameName = welcome.epoch === this.#epoch
    const isOlder = isSameName && !welcome.resumed && welcome.head < this.#cursor.seen
    if (isOlder && !welcome.gaps.some(({ why }) => why === 'epoch')) {
      const from = this.#cursor.position + 1
      this.#tellGap(from, from, 'epoch')
    }
    if (isOlder || !isSameName) {
      const starts = welcome.subs.flatMap((verdict) =>
        'offset' in verdict ? [verdict.offset] : [],
      )
      this.#cursor.reset(Math.min(welcome.head, ...starts))
      this.#epoch = welcome.epoch
      this.#unreadable.reset()
      this.#acked = this.#told = this.#cursor.position
    }
    for (const gap of welcome.gaps) this.gap(gap)
    this.#isOpen = true
    this.#noteSettled()
  }

  event(offset: number, type: string, id: string, body: string, isResent: boolean): void {
    const cursor = this.#cursor
    this.#told = offset
    // Sent again after a broken link: it is settled, or its handler still runs.
    if (cursor.hasSeen(offset)) {
      this.#noteSettled()
      return
    }
    this.#ports.received()
    const token = cursor.begin()
    let settling = 0
    try {
      const event = decodeBody(type, id, body)
      const { source } = event.metadata
      if (!isResent || !this.#filter.has(source, id)) {
        this.#filter.add(source, id)
        settling = this.#ports.registry.deliver(event, token)
      }
    } catch (error) {
      this.#ports.undecodable(error as Error, body)
    }
    cursor.end(offset, settling)
    this.#noteSettled()
  }

  /**
   * The line of an event means nothing.
   *
   * @returns whether to go on behind it: it was known, or came so often that it is named as lost; else a new link brings it again
   */
  unreadable(offset: number, line: string): boolean {
    if (!this.#cursor.hasSeen(offset)) {
      if (!this.#unreadable.note(offset)) return false
      const message = `The event at offset ${offset} came again and again as a line that means nothing`
      this.#ports.undecodable(new DecodeError(message), line)
      this.#lost(offset, offset, 'undecodable')
    } else this.#told = Math.max(this.#told, offset)
    return true
  }

  settle(token: number): void {
    this.#cursor.settle(token)
    this.#noteSettled()
  }

  mark(offset: number): void {
    if (offset > this.#told) this.#told = offset
    this.#cursor.mark(offset)
    this.#noteSettled()
  }

  gap({ from, to, why }: WireGap): void {
    // It speaks of the log before, whose offsets mean nothing here.
    if (why === 'epoch') this.#tellGap(from, to, why)
    else this.#lost(from, to, why)
  }

  /** The acknowledgement that is due; `undefined` when none is. */
  takeAck(): string | undefined {
    if (!this.#isAckDue) return undefined
    this.#clear()
    this.#cursor.takeSettled()
    const position = this.#ackable()
    if (position <= this.#acked) return undefined
    this.#acked = position
    return ackLine(position)
  }

  /** What is settled and not acknowledged, before the link is closed. */
  lastAck(): string | undefined {
    this.#isAckDue = this.#isOpen
    return this.takeAck()
  }

  /** The link is gone: its acknowledgements with it. */
  down(): void {
    this.#isOpen = false
    this.#clear()
  }

  /** What is lost was counted from what is settled: what came and still waits for its handler is not. */
  #lost(from: number, to: number, reason: Gap['reason']): void {
    const first = Math.max(from, this.#cursor.seen + 1)
    if (first <= to) this.#tellGap(first, to, reason)
    this.mark(to)
  }

  #tellGap(from: number, to: number, reason: Gap['reason']): void {
    this.#ports.gap({ from, to, reason, patterns: this.#ports.registry.patterns() })
  }

  #clear(): void {
    this.#isAckDue = false
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }

  /** A handler may have ended before the hub has sent its event again on this link. */
  #ackable(): number {
    return Math.min(this.#cursor.position, this.#told)
  }

  /** Acknowledged after a while, or as soon as a quarter of the window is settled, so that the hub never waits for it. */
  #noteSettled(): void {
    if (this.#isAckDue || !this.#isOpen || this.#ackable() <= this.#acked) return
    if (this.#cursor.settled >= this.#limits.window.events / 4) {
      this.#due()
      return
    }
    this.#stopTimer ??= after(this.#ports.clock, this.#limits.ackMs, () => {
      this.#stopTimer = undefined
      this.#due()
    })
  }

  #due(): void {
    this.#isAckDue = true
    this.#ports.ackDue()
  }
}

/** Times that the same event may come unreadable before it is given up. */
const MAX_TIMES = 3

/** Remembers the one event that stands in the way: nothing behind it is taken before it. */
class UnreadableEvents {
  #offset: number | undefined
  #times = 0

  /** Notes that the event came unreadable. @returns whether it must be given up */
  note(offset: number): boolean {
    this.#times = offset === this.#offset ? this.#times + 1 : 1
    this.#offset = offset
    return this.#times >= MAX_TIMES
  }

  /** Offsets are those of another log now. */
  reset(): void {
    this.#offset = undefined
  }
}
