/** The subscribing half of a `bus.v1` session: subscriptions, received events, acknowledgements. */

import { DecodeError, type Clock, type Gap, type Timer } from '@bus/core'
import { ackLine, type HubEventReceiver } from '../../protocol/bus-v1/lines.ts'
import type { Hello, WireMode, WireSubscription } from '../../protocol/bus-v1/hello.ts'
import { wireDefaults, type WireLimits } from '../../protocol/bus-v1/limits.ts'
import type { WireGap, Welcome } from '../../protocol/bus-v1/welcome.ts'
import type { Registry } from '../subscriptions/registry.ts'
import { decodeBody } from '../../protocol/bus-v1/fields.ts'
import { Cursor, ResentFilter } from './cursor.ts'

export interface SubscriberPorts {
  readonly registry: Registry
  readonly clock: Clock
  /** Woken when an acknowledgement is due. */
  readonly writer: { wake(): void }
  /** Events were lost. */
  gap(gap: Gap): void
  undecodable(error: Error, line: string): void
}

/** Lives as long as the session, over all of its links; the log that offsets belong to may change. */
export class BusV1Subscriber implements HubEventReceiver {
  readonly #ports: SubscriberPorts
  readonly #registry: Registry
  readonly #clock: Clock
  readonly #cursor = new Cursor()
  readonly #filter = new ResentFilter()
  readonly #unreadable = new UnreadableEvents()
  /** The subscriptions that the hub knows: the id of each pattern, and how its events are delivered. */
  readonly #requested = new Map<string, { readonly id: number; readonly mode: WireMode }>()
  #lastId = 0
  #epoch: string | undefined
  #limits: WireLimits = wireDefaults
  /** The last offset that the hub has sent on this link: it takes no acknowledgement beyond. */
  #lastSentOffset = 0
  #received = 0
  /** Between the welcome and the end of a link. */
  #isOpen = false
  #isAckDue = false
  #ackTimer: Timer | undefined

  constructor(ports: SubscriberPorts) {
    this.#ports = ports
    this.#registry = ports.registry
    this.#clock = ports.clock
  }

  /** Events received, without those that the hub sent again. */
  get received(): number {
    return this.#received
  }

  /** The last offset that the hub has sent on this link. */
  get lastSentOffset(): number {
    return this.#lastSentOffset
  }

  /** What `hello` says of the place where a new link goes on; nothing when there is no subscription that could go on. */
  begin(patterns: ReadonlySet<string>): Pick<Hello, 'epoch' | 'offset'> {
    this.down()
    for (const pattern of this.#requested.keys())
      if (!patterns.has(pattern)) this.#requested.delete(pattern)
    const epoch = this.#requested.size === 0 ? undefined : this.#epoch
    const offset = epoch === undefined ? 0 : this.#cursor.position
    this.#lastSentOffset = offset
    this.#cursor.resume(offset)
    return epoch === undefined ? {} : { epoch, offset }
  }

  /** The subscriptions to these patterns as they are requested; a pattern keeps its id from link to link. */
  request(patterns: readonly string[]): WireSubscription[] {
    return patterns.map((pattern) => {
      const id = this.#requested.get(pattern)?.id ?? ++this.#lastId
      const mode = this.#registry.isSettled(pattern) ? 'alo' : 'amo'
      this.#requested.set(pattern, { id, mode })
      return { id, pattern, mode }
    })
  }

  /** Whether the pattern was requested at most once although a subscription settles its events by now. */
  isOutdated(pattern: string): boolean {
    return this.#requested.get(pattern)?.mode === 'amo' && this.#registry.isSettled(pattern)
  }

  /**
   * Forgets the subscription to a pattern.
   *
   * @param only - forgotten only if it has this id: the pattern may have been requested again under another one
   * @returns the id under which the hub knows it; `undefined` when there is nothing to forget
   */
  forget(pattern: string, only?: number): number | undefined {
    const id = this.#requested.get(pattern)?.id
    if (only !== undefined && id !== only) return undefined
    this.#requested.delete(pattern)
    return id
  }

  welcome(welcome: Welcome): void {
    this.#limits = welcome.limits
    // A log that ends before the last event that we have of it is another one under the same name, such as a copy of an
    // earlier state.
    const isSameName = welcome.epoch === this.#epoch
    const isOlder = isSameName && !welcome.resumed && welcome.head < this.#cursor.seen
    if (isOlder && !welcome.gaps.some(({ why }) => why === 'epoch')) {
      const from = this.#cursor.position + 1
      this.#reportGap(from, from, 'epoch')
    }
    if (isOlder || !isSameName) {
      const starts = welcome.subs.flatMap((verdict) =>
        'offset' in verdict ? [verdict.offset] : [],
      )
      const offset = Math.min(welcome.head, ...starts)
      this.#cursor.reset(offset)
      this.#lastSentOffset = offset
      this.#epoch = welcome.epoch
      this.#unreadable.reset()
    }
    for (const gap of welcome.gaps) this.gap(gap)
    this.#isOpen = true
    this.#noteSettled()
  }

  event(offset: number, type: string, id: string, body: string, isResent: boolean): void {
    const cursor = this.#cursor
    this.#lastSentOffset = offset
    const token = cursor.begin(offset)
    if (token !== 0) {
      this.#received++
      let settling = 0
      try {
        const event = decodeBody(type, id, body)
        if (!isResent || !this.#filter.has(event)) {
          this.#filter.add(event)
          settling = this.#registry.deliver(event, token)
        }
      } catch (error) {
        this.#ports.undecodable(error as Error, body)
      }
      cursor.end(offset, settling)
    }
    // Sent again after a broken link, it is settled or its handler still runs; the hub takes an acknowledgement now.
    this.#noteSettled()
  }

  /**
   * The line of an event cannot be read.
   *
   * @returns whether to go on behind it: it was received before, or it came so often that it is reported as lost; otherwise
   * a new link brings it again
   */
  unreadable(offset: number, line: string): boolean {
    if (offset > this.#cursor.seen) {
      if (!this.#unreadable.note(offset)) return false
      const message = `The event at offset ${offset} came again and again as a line that means nothing`
      this.#ports.undecodable(new DecodeError(message), line)
      this.#lost(offset, offset, 'undecodable')
    } else this.#lastSentOffset = Math.max(this.#lastSentOffset, offset)
    return true
  }

  settle(token: number): void {
    if (this.#cursor.settle(token)) this.#noteSettled()
  }

  mark(offset: number): void {
    if (offset > this.#lastSentOffset) this.#lastSentOffset = offset
    this.#cursor.mark(offset)
    this.#noteSettled()
  }

  gap({ from, to, why }: WireGap): void {
    // It is about the log before, whose offsets mean nothing in this one.
    if (why === 'epoch') this.#reportGap(from, to, why)
    else this.#lost(from, to, why)
  }

  /** The acknowledgement that is due; `undefined` when none is. */
  takeAck(): string | undefined {
    if (!this.#isAckDue) return undefined
    this.#clear()
    const offset = this.#cursor.take(this.#lastSentOffset)
    return offset === undefined ? undefined : ackLine(offset)
  }

  /** Acknowledges what is settled before the link is closed. */
  lastAck(): string | undefined {
    this.#isAckDue = this.#isOpen
    return this.takeAck()
  }

  /** The link is gone, and with it the acknowledgement that was due. */
  down(): void {
    this.#isOpen = false
    this.#clear()
  }

  /** The hub counts what is lost from what is acknowledged: an event that was received and waits for its handler is not lost. */
  #lost(from: number, to: number, reason: Gap['reason']): void {
    const first = Math.max(from, this.#cursor.seen + 1)
    if (first <= to) this.#reportGap(first, to, reason)
    this.mark(to)
  }

  #reportGap(from: number, to: number, reason: Gap['reason']): void {
    this.#ports.gap({ from, to, reason, patterns: this.#registry.patterns() })
  }

  #clear(): void {
    this.#isAckDue = false
    if (this.#ackTimer !== undefined) this.#clock.clearTimeout(this.#ackTimer)
    this.#ackTimer = undefined
  }

  /** Acknowledges after a while, or as soon as a quarter of the window is settled, so that the hub never waits for it. */
  #noteSettled(): void {
    if (this.#isAckDue || !this.#isOpen) return
    const settled = this.#cursor.due(this.#lastSentOffset)
    if (settled === undefined) return
    if (settled >= this.#limits.window.events / 4) {
      this.#isAckDue = true
      this.#ports.writer.wake()
    } else this.#ackTimer ??= this.#clock.setTimeout(this.#onAckTimer, this.#limits.ackMs)
  }

  readonly #onAckTimer = (): void => {
    this.#ackTimer = undefined
    this.#isAckDue = true
    this.#ports.writer.wake()
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
