import { describe, expect, test, vi } from 'vitest'
import { EventLog } from '../log/log.ts'
import { PatternSets } from '../log/pattern-set.ts'
import { newCounters } from '../stats.ts'
import { Session } from '../sessions/session.ts'
import { Confirmations } from './confirmations.ts'

const WINDOW = { events: 10, bytes: 1_000 }

/** A publisher, and as many sessions as there are patterns, each at least once. */
function makeHub(patterns: readonly string[]) {
  const log = new EventLog({ maxEvents: 100, maxBytes: 10_000, maxAgeMs: Infinity })
  const sets = new PatternSets(log)
  const newSession = (sid: string): Session => new Session(sid, { id: 'p' }, sets, WINDOW)
  const readers: Session[] = []
  const add = (pattern: string): Session => {
    const reader = newSession(`s${readers.length}`)
    reader.subscriber.add(1, { pattern, mode: 'alo' }, log.lastOffset)
    readers.push(reader)
    return reader
  }
  const givenUp: unknown[] = []
  const confirmations = new Confirmations({
    holdMs: 100,
    onGivenUp: (subscriber) => givenUp.push(subscriber),
  })
  sets.observer = confirmations
  for (const pattern of patterns) add(pattern)
  const publisher = newSession('publisher')
  let n = 0
  return {
    readers,
    add,
    publisher,
    confirmations,
    givenUp,
    /** Publishes an event of this type. @returns its offset */
    publish(type: string): number {
      publisher.publisher.receive(++n, 10)
      publisher.publisher.accept(n, false)
      const offset = log.append(false, Buffer.from('x'), 0, 1, type, 0)
      confirmations.accepted(publisher, n, offset, type, false)
      return offset
    },
    /** How many are confirmed by now. */
    confirmed(): number {
      confirmations.settle(() => {})
      return publisher.publisher.confirmed
    },
    /** The reader is sent everything, and settles it up to this offset. */
    settle(reader: Session, offset: number): void {
      const outlet = { isFull: false, sendText: () => {}, send: () => {} }
      reader.subscriber.pump(log, outlet, newCounters(), offset, false)
      reader.subscriber.ack(offset)
    },
  }
}

describe('a confirmation', () => {
  test('waits for the sessions that are subscribed to the type, and for no other', () => {
    const hub = makeHub(['order.*', 'stock.*'])
    const [orders] = hub.readers
    const offset = hub.publish('order.created')
    expect(hub.confirmed()).toBe(0)
    if (orders !== undefined) hub.settle(orders, offset)
    expect(hub.confirmed()).toBe(1)
    hub.publish('price.changed')
    expect(hub.confirmed()).toBe(2)
  })

  test('waits for a session that subscribes later, and no longer for one that ends', () => {
    const hub = makeHub(['order.*'])
    hub.publish('stock.low')
    expect(hub.confirmed()).toBe(1)
    const late = hub.add('stock.*')
    hub.publish('stock.low')
    expect(hub.confirmed()).toBe(1)
    late.subscriber.remove(1)
    expect(hub.confirmed()).toBe(2)
  })

  test('looks at no session without a matching pattern, and costs the others nothing when one joins', () => {
    const hub = makeHub(Array.from({ length: 200 }, (_, n) => `user.${n}.*`))
    const spies = hub.readers.map(({ subscriber }) => vi.spyOn(subscriber, 'matches'))
    const lists = hub.readers.map(({ subscriber }) => vi.spyOn(subscriber, 'list'))
    for (let n = 0; n < 100; n++) {
      hub.publish(`user.${n % 5}.x`)
      hub.add('order.*').subscriber.removeAll()
    }
    expect(hub.confirmed()).toBe(0)
    expect(spies.slice(1).every(({ mock }) => mock.calls.length === 0)).toBe(true)
    expect(lists.every(({ mock }) => mock.calls.length === 0)).toBe(true)
  })

  test('gives up a subscriber that made no progress for holdMs, until it makes some', () => {
    const hub = makeHub(['order.*'])
    const [frozen] = hub.readers
    const first = hub.publish('order.created')
    hub.publish('order.created')
    const giveUp = (now: number): number => hub.confirmations.giveUpStalled(now)
    expect([giveUp(1_000), giveUp(1_099)]).toEqual([0, 0])
    expect(hub.confirmed()).toBe(0)
    expect(giveUp(1_100)).toBe(1)
    expect(hub.givenUp).toEqual([frozen?.subscriber])
    expect(hub.confirmed()).toBe(2)
    // Not waited for as long as it stands still.
    hub.publish('order.created')
    expect(hub.confirmed()).toBe(3)
    if (frozen !== undefined) hub.settle(frozen, first)
    frozen?.subscriber.progressed(1_200)
    hub.publish('order.created')
    expect(hub.confirmed()).toBe(3)
  })

  test('waits for a slow subscriber as long as it makes progress', () => {
    const hub = makeHub(['order.*'])
    const [slow] = hub.readers
    const offsets = Array.from({ length: 10 }, () => hub.publish('order.created'))
    for (const [i, offset] of offsets.entries()) {
      expect(hub.confirmations.giveUpStalled(i * 90)).toBe(0)
      if (slow === undefined) continue
      hub.settle(slow, offset)
      slow.subscriber.progressed(i * 90)
      expect(hub.confirmed()).toBe(i + 1)
    }
    expect(hub.givenUp).toEqual([])
  })
})
