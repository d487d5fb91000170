/** The subscribing half of a `bus.v1` session: what is wanted, what has come, what is settled. */
import { after, type Clock, type Gap } from '@bus/core'
import { ackLine } from '../../protocol/bus-v1/client-lines.ts'
import type { WireSubscription } from '../../protocol/bus-v1/hello.ts'
import { wireDefaults, type WireLimits } from '../../protocol/bus-v1/limits.ts'
import type { Gap as WireGap, Welcome } from '../../protocol/bus-v1/welcome.ts'
import type { Registry } from '../registry.ts'
import { decodeBody } from './body.ts'
import { Cursor } from './cursor.ts'
import { ResentFilter } from './resent-filter.ts'

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
  /** The id of each pattern on this hub. */
  readonly #ids = new Map<string, number>()
  #lastId = 0
  #epoch: string | undefined
  #limits: WireLimits = wireDefaults
  #acked = 0
  #isAckDue = false
  #stopTimer: (() => void) | undefined

  constructor(ports: SubscriberPorts) {
    this.#ports = ports
  }

  get epoch(): string | undefined {
    return this.#epoch
  }

  /** Everything up to this offset is settled. */
  get offset(): number {
    return this.#cursor.position
  }

  /** The subscriptions as a `hello` names them; a pattern keeps its id from link to link. */
  wanted(patterns: readonly string[]): WireSubscription[] {
    return patterns.map((pattern) => {
      const id = this.#ids.get(pattern) ?? ++this.#lastId
      this.#ids.set(pattern, id)
      return { id, pattern, mode: this.#ports.registry.isSettled(pattern) ? 'alo' : 'amo' }
    })
  }

  /** The id under which the hub knows the pattern, which it then forgets. */
  forget(pattern: string): number | undefined {
    const id = this.#ids.get(pattern)
    this.#ids.delete(pattern)
    return id
  }

  welcome(welcome: Welcome): void {
    this.#limits = welcome.limits
    const isSameLog = welcome.epoch === this.#epoch
    for (const gap of welcome.gaps) this.gap(gap)
    if (!isSameLog) {
      const starts = welcome.subs.flatMap((verdict) =>
        'offset' in verdict ? [verdict.offset] : [],
      )
      this.#cursor.reset(Math.min(welcome.head, ...starts))
      this.#epoch = welcome.epoch
    }
    this.#acked = this.#cursor.position
  }

  event(offset: number, type: string, id: string, body: string, isResent: boolean): void {
    const cursor = this.#cursor
    // Sent again after a broken link: it is settled, or its handler still runs.
    if (cursor.hasSeen(offset)) return
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

  settle(token: number): void {
    this.#cursor.settle(token)
    this.#noteSettled()
  }

  mark(offset: number): void {
    this.#cursor.mark(offset)
    this.#noteSettled()
  }

  gap({ from, to, why }: WireGap): void {
    this.#ports.gap({ from, to, reason: why, patterns: this.#ports.registry.patterns() })
    this.mark(to)
  }

  /** The acknowledgement that is due; `undefined` when none is. */
  takeAck(): string | undefined {
    if (!this.#isAckDue) return undefined
    this.#clear()
    this.#cursor.takeSettled()
    const { position } = this.#cursor
    if (position <= this.#acked) return undefined
    this.#acked = position
    return ackLine(position)
  }

  /** The link is gone: its acknowledgements with it. */
  down(): void {
    this.#clear()
  }

  #clear(): void {
    this.#isAckDue = false
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }

  /** Acknowledged after a while, or as soon as a quarter of the window is settled, so that the hub never waits for it. */
  #noteSettled(): void {
    if (this.#isAckDue || this.#cursor.position <= this.#acked) return
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
