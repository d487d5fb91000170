import type { Gap, Sink } from '@bus/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../../test/fake-clock.ts'
import { wireDefaults } from '../../protocol/bus-v1/limits.ts'
import type { Welcome } from '../../protocol/bus-v1/welcome.ts'
import { Registry, type RegistryEntry } from '../subscriptions/registry.ts'
import { BusV1Subscriber } from './subscriber.ts'

/** Settles when the test says so. */
class Holder implements Sink {
  readonly tokens: number[] = []
  readonly payloads: unknown[] = []

  deliver({ payload }: { readonly payload: unknown }, token: number): boolean {
    this.tokens.push(token)
    this.payloads.push(payload)
    return true
  }
}

function setUp() {
  const clock = new FakeClock()
  const registry = new Registry()
  const gaps: Gap[] = []
  const errors: Error[] = []
  let due = 0
  const subscriber = new BusV1Subscriber({
    registry,
    clock,
    writer: { wake: () => due++ },
    gap: (gap) => gaps.push(gap),
    undecodable: (error) => errors.push(error),
  })
  const add = (pattern: string, settles = true): Holder => {
    const sink = new Holder()
    registry.add(entryOf(pattern, sink, settles))
    return sink
  }
  const open = (change: Partial<Welcome> = {}): ReturnType<BusV1Subscriber['begin']> => {
    const said = subscriber.begin(new Set(registry.patterns()))
    subscriber.request(registry.patterns())
    subscriber.welcome(welcome(change))
    return said
  }
  const event = (offset: number, type = 'a', isResent = false, id = `e${offset}`): void =>
    subscriber.event(offset, type, id, body(offset), isResent)
  const counts = (): { due: number; received: number } => ({
    due,
    received: subscriber.received,
  })
  return { subscriber, registry, clock, gaps, errors, add, open, event, counts }
}

function entryOf(pattern: string, sink: Sink, settles: boolean): RegistryEntry {
  return { patterns: [pattern], sink, settles, mustSettle: false, isHeld: false, unread: [] }
}

const body = (payload: unknown, source = 's'): string =>
  JSON.stringify({ payload, metadata: { timestamp: 1, source } })

function welcome(change: Partial<Welcome> = {}): Welcome {
  return {
    sid: 's',
    resumed: false,
    last: 0,
    refused: [],
    epoch: 'e',
    head: 0,
    limits: { ...wireDefaults, window: { events: 40, bytes: 1_000_000 } },
    heartbeatMs: 1_000,
    subs: [],
    gaps: [],
    ...change,
  }
}

describe('acknowledgements', () => {
  test('are due once for what is settled within ackMs, and name the end of what is settled without a hole', () => {
    const { subscriber, clock, add, open, event, counts } = setUp()
    const sink = add('a')
    open()
    for (const offset of [1, 2, 3]) event(offset)
    expect([subscriber.takeAck(), clock.pending]).toEqual([undefined, 0])
    subscriber.settle(sink.tokens[0] ?? 0)
    subscriber.settle(sink.tokens[2] ?? 0)
    clock.advance(9)
    expect([subscriber.takeAck(), counts().due]).toEqual([undefined, 0])
    clock.advance(1)
    expect([subscriber.takeAck(), counts().due, clock.pending]).toEqual(['ack 1', 1, 0])
    clock.advance(100)
    expect([subscriber.takeAck(), counts().due]).toEqual([undefined, 1])
    subscriber.settle(sink.tokens[1] ?? 0)
    clock.advance(10)
    expect(subscriber.takeAck()).toBe('ack 3')
  })

  test('are due after what the hub requires', () => {
    const { subscriber, clock, add, open, event } = setUp()
    const sink = add('a')
    open({ limits: { ...wireDefaults, ackMs: 200 } })
    event(1)
    subscriber.settle(sink.tokens[0] ?? 0)
    clock.advance(199)
    expect(subscriber.takeAck()).toBeUndefined()
    clock.advance(1)
    expect(subscriber.takeAck()).toBe('ack 1')
  })

  test('do not wait when a quarter of the window is settled', () => {
    const { subscriber, clock, add, open, event, counts } = setUp()
    const sink = add('a')
    open()
    for (let offset = 1; offset <= 25; offset++) event(offset)
    for (const token of sink.tokens.slice(0, 9)) subscriber.settle(token)
    expect(counts().due).toBe(0)
    subscriber.settle(sink.tokens[9] ?? 0)
    expect([counts().due, subscriber.takeAck(), clock.pending]).toEqual([1, 'ack 10', 0])
  })

  test('never go beyond what is settled, nor beyond what this link has named, and reach it in the end', () => {
    const link = fc.record({
      events: fc.nat(12),
      settle: fc.array(fc.nat(), { maxLength: 12 }),
      before: fc.array(fc.nat(), { maxLength: 6 }),
    })
    fc.assert(
      fc.property(fc.array(link, { minLength: 1, maxLength: 6 }), (links) => {
        const { subscriber, clock, add, open, event } = setUp()
        const sink = add('a')
        const unsettled = new Map<number, number>()
        let head = 0
        const settleOne = (pick: number): void => {
          const offset = [...unsettled.keys()][pick % Math.max(unsettled.size, 1)]
          if (offset === undefined) return
          subscriber.settle(unsettled.get(offset) ?? 0)
          unsettled.delete(offset)
        }
        const firstOpen = (): number => Math.min(head + 1, ...unsettled.keys())
        for (const { events, settle, before } of links) {
          for (const pick of before) settleOne(pick)
          const { offset = 0 } = open({ head })
          expect(offset).toBeLessThan(firstOpen())
          let named = offset
          const check = (): void => {
            clock.advance(10)
            const ack = subscriber.takeAck()
            if (ack === undefined) return
            const settled = Number(ack.slice(4))
            expect(settled).toBeLessThan(firstOpen())
            expect(settled).toBeLessThanOrEqual(named)
          }
          for (const pick of before) settleOne(pick)
          check()
          // The hub sends again what was not acknowledged, and then what is new.
          const end = head + events
          for (let at = offset + 1; at <= end; at++) {
            event(at)
            named = at
            if (at > head) unsettled.set(at, sink.tokens.at(-1) ?? 0)
            head = Math.max(head, at)
            check()
          }
          for (const pick of settle) settleOne(pick)
          check()
          subscriber.down()
        }
        open({ head })
        for (let at = subscriber.lastSentOffset + 1; at <= head; at++) event(at)
        while (unsettled.size > 0) settleOne(0)
        expect(subscriber.lastAck() ?? `ack ${subscriber.lastSentOffset}`).toBe(`ack ${head}`)
        expect(sink.payloads).toEqual(Array.from({ length: head }, (_, i) => i + 1))
      }),
      { numRuns: 300 },
    )
  })

  test('catch up with handlers that ended while the link was made', () => {
    const { subscriber, clock, add, open, event } = setUp()
    const sink = add('a')
    open()
    for (const offset of [1, 2]) event(offset)
    subscriber.down()
    const said = subscriber.begin(new Set(['a']))
    expect(said).toEqual({ epoch: 'e', offset: 0 })
    for (const token of sink.tokens) subscriber.settle(token)
    subscriber.welcome(welcome({ resumed: true }))
    clock.advance(50)
    expect(subscriber.takeAck()).toBeUndefined()
    // Sent again, and not delivered again: but only now the hub takes an acknowledgement.
    for (const offset of [1, 2]) event(offset)
    clock.advance(10)
    expect(subscriber.takeAck()).toBe('ack 2')
    expect(sink.payloads).toEqual([1, 2])
  })

  test('leave no timer when the link is gone, also when a handler ends after that', () => {
    const { subscriber, clock, add, open, event } = setUp()
    const sink = add('a')
    open()
    for (const offset of [1, 2]) event(offset)
    subscriber.settle(sink.tokens[0] ?? 0)
    expect(clock.pending).toBe(1)
    subscriber.down()
    subscriber.settle(sink.tokens[1] ?? 0)
    expect(clock.pending).toBe(0)
  })

  test('are made at once for the last word', () => {
    const { subscriber, clock, add, open, event } = setUp()
    const sink = add('a')
    open()
    event(1)
    expect(subscriber.lastAck()).toBeUndefined()
    subscriber.settle(sink.tokens[0] ?? 0)
    expect([subscriber.lastAck(), clock.pending]).toEqual(['ack 1', 0])
    subscriber.down()
    expect(subscriber.lastAck()).toBeUndefined()
  })
})

describe('what counts as settled', () => {
  test('is an event that no subscription has any more, or that was delivered at most once, at once', () => {
    const { subscriber, clock, add, open, event } = setUp()
    add('a', false)
    open()
    event(1, 'a')
    event(2, 'nobody')
    clock.advance(10)
    expect(subscriber.takeAck()).toBe('ack 2')
  })

  test('is what several subscriptions got, once all that settle have', () => {
    const { subscriber, clock, add, open, event } = setUp()
    const sinks = [add('a'), add('*'), add('>', false)]
    open()
    event(1)
    subscriber.settle(sinks[0]?.tokens[0] ?? 0)
    clock.advance(10)
    expect(subscriber.takeAck()).toBeUndefined()
    subscriber.settle(sinks[1]?.tokens[0] ?? 0)
    clock.advance(10)
    expect(subscriber.takeAck()).toBe('ack 1')
    expect(sinks[2]?.payloads).toEqual([1])
  })

  test('is an event whose body means nothing, which is reported', () => {
    const { subscriber, clock, errors, add, open } = setUp()
    const sink = add('a')
    open()
    subscriber.event(1, 'a', 'x', '{"payload":', false)
    clock.advance(10)
    expect([subscriber.takeAck(), sink.payloads.length, errors.length]).toEqual(['ack 1', 0, 1])
  })

  test('is everything up to a mark or a gap once what came before it is', () => {
    const { subscriber, clock, add, open, event, gaps } = setUp()
    const sink = add('a')
    open()
    event(1)
    subscriber.mark(50)
    subscriber.gap({ from: 51, to: 60, why: 'slow' })
    expect(gaps).toEqual([{ from: 51, to: 60, reason: 'slow', patterns: ['a'] }])
    clock.advance(10)
    expect(subscriber.takeAck()).toBeUndefined()
    subscriber.settle(sink.tokens[0] ?? 0)
    clock.advance(10)
    expect(subscriber.takeAck()).toBe('ack 60')
  })
})

describe('a new link', () => {
  test('reports no gap of what came on an older link and still waits for its handler', () => {
    const { subscriber, clock, add, open, event, gaps } = setUp()
    const sink = add('a')
    open()
    for (const offset of [1, 2, 3]) event(offset)
    subscriber.settle(sink.tokens[0] ?? 0)
    const lost = (to: number): Partial<Welcome> => ({
      resumed: true,
      gaps: [{ from: 2, to, why: 'overrun' }],
    })
    expect(open(lost(3))).toEqual({ epoch: 'e', offset: 1 })
    expect(gaps).toEqual([])
    open(lost(5))
    expect(gaps).toEqual([{ from: 4, to: 5, reason: 'overrun', patterns: ['a'] }])
    for (const token of sink.tokens) subscriber.settle(token)
    clock.advance(10)
    expect(subscriber.takeAck()).toBe('ack 5')
  })

  test('of another log reports its gaps by its own offsets', () => {
    const { add, open, event, gaps } = setUp()
    const sink = add('a')
    open()
    event(100)
    const epoch = { from: 1, to: 1, why: 'epoch' } as const
    const overrun = { from: 1, to: 20, why: 'overrun' } as const
    open({ epoch: 'f', head: 30, subs: [{ id: 1, offset: 0 }], gaps: [epoch, overrun] })
    expect(gaps.map(({ from, to }) => [from, to])).toEqual([
      [1, 1],
      [1, 20],
    ])
    event(21)
    expect(sink.payloads).toEqual([100, 21])
  })

  test('goes on behind what is settled', () => {
    const { subscriber, add, open, event } = setUp()
    const sink = add('a')
    expect(open()).toEqual({})
    for (const offset of [3, 7]) event(offset)
    subscriber.settle(sink.tokens[0] ?? 0)
    expect(open({ resumed: true })).toEqual({ epoch: 'e', offset: 3 })
    event(7)
    event(9)
    expect(sink.payloads).toEqual([3, 7, 9])
  })

  test('goes on with nothing when nothing was subscribed, so that it is owed nothing', () => {
    const { subscriber, registry, add, open, event } = setUp()
    expect(open({ head: 10 })).toEqual({})
    add('a')
    expect(open({ resumed: true, head: 90, subs: [{ id: 1, offset: 90 }] })).toEqual({})
    event(91)
    registry.clear()
    subscriber.forget('a')
    expect(open({ resumed: true })).toEqual({})
  })

  test('of another log starts where its subscriptions do, and drops what comes again', () => {
    const { subscriber, clock, add, open, event, gaps } = setUp()
    const sink = add('a')
    open()
    event(1, 'a', false, 'x')
    event(2, 'a', false, 'y')
    const gap = { from: 1, to: 1, why: 'epoch' } as const
    const again = { epoch: 'f', head: 5, subs: [{ id: 1, offset: 0 }], gaps: [gap] }
    expect(open(again)).toEqual({ epoch: 'e', offset: 0 })
    expect(gaps).toHaveLength(1)
    event(1, 'a', true, 'y')
    event(2, 'a', true, 'z')
    event(3, 'a', false, 'x')
    expect(sink.payloads).toEqual([1, 2, 2, 3])
    // Handlers of the old log end now, which says nothing about this one.
    for (const token of sink.tokens.slice(0, 2)) subscriber.settle(token)
    clock.advance(10)
    expect(subscriber.takeAck()).toBe('ack 1')
    for (const token of sink.tokens) subscriber.settle(token)
    clock.advance(10)
    expect(subscriber.takeAck()).toBe('ack 3')
  })
})

describe('a request', () => {
  test('is at least once as soon as one subscription settles, under an id of its own', () => {
    const { subscriber, add } = setUp()
    add('a', false)
    add('b')
    expect(subscriber.request(['a', 'b'])).toEqual([
      { id: 1, pattern: 'a', mode: 'amo' },
      { id: 2, pattern: 'b', mode: 'alo' },
    ])
    expect([subscriber.isOutdated('a'), subscriber.isOutdated('b')]).toEqual([false, false])
    add('a')
    expect(subscriber.isOutdated('a')).toBe(true)
    expect([subscriber.forget('a'), subscriber.forget('a')]).toEqual([1, undefined])
    expect(subscriber.request(['a', 'b'])).toEqual([
      { id: 3, pattern: 'a', mode: 'alo' },
      { id: 2, pattern: 'b', mode: 'alo' },
    ])
  })
})

test('counts what it receives, without what comes again', () => {
  const { subscriber, add, open, event, counts } = setUp()
  add('a')
  open()
  event(1)
  event(1)
  subscriber.event(2, 'b', 'x', '', false)
  expect(counts().received).toBe(2)
})
