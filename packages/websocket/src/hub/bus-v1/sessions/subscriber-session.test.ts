import { matches } from '@bus/core'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { newCounters } from '../stats.ts'
import { EventLog } from '../log/log.ts'
import { PatternSets } from '../log/pattern-set.ts'
import { SubscriberSession, type MessageOutlet } from './subscriber-session.ts'

const TYPES = ['a', 'b', 'a.x', 'c']
const PATTERNS = ['a', '>', 'a.*', 'b', '*']

type Step =
  | { readonly do: 'append'; readonly type: string; readonly isBig: boolean }
  | { readonly do: 'evict'; readonly count: number }
  | { readonly do: 'endFlush' }
  | { readonly do: 'prepare' }
  | { readonly do: 'flush' }
  | { readonly do: 'ack'; readonly share: number }
  | { readonly do: 'sub'; readonly pattern: string }
  | { readonly do: 'unsub' }
  | { readonly do: 'resume' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      type: fc.constantFrom(...TYPES),
      isBig: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('evict' as const),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'endFlush' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'prepare' } as const) },
  { weight: 4, arbitrary: fc.constant({ do: 'flush' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('ack' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('sub' as const),
      pattern: fc.constantFrom(...PATTERNS),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'unsub' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'resume' } as const) },
)

/** Room for about three small events. */
const MESSAGE_BYTES = 50

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** A link to one subscriber, the log behind it, and what the subscriber should have got. */
class Run {
  readonly log = new EventLog({
    maxEvents: 1e6,
    maxBytes: 1e9,
    maxAgeMs: Infinity,
    segmentBytes: 100,
  })
  readonly session: SubscriberSession
  readonly #sets: PatternSets
  readonly types: string[] = []
  /** Offsets of events that are too large for a message. */
  readonly big = new Set<number>()
  /** Offsets that came, and those that were said to be lost, on this link. */
  got = new Set<number>()
  lost: { readonly from: number; readonly to: number }[] = []
  lastSent = 0
  isFull = false
  cursor = 0
  readonly subs = new Map<number, { readonly pattern: string; readonly since: number }>()
  #flush = 1
  #id = 0

  constructor() {
    const window = { events: 5, bytes: 10_000 }
    this.#sets = new PatternSets(this.log)
    this.session = new SubscriberSession(this.#sets, window)
    this.session.begin(0, window, MESSAGE_BYTES)
  }

  do(next: Step): void {
    switch (next.do) {
      case 'append':
        this.#append(next.type, next.isBig)
        break
      case 'evict':
        for (let i = 0; i < next.count; i++) this.log.evictOldest()
        break
      case 'endFlush':
        this.#sets.endFlush()
        break
      case 'prepare':
        this.session.prepare(this.log)
        break
      case 'flush':
        this.#flush++
        if (this.session.passBy(this.log.lastOffset)) break
        this.session.pump(this.log, this, newCounters(), this.#flush, false)
        break
      case 'ack':
        this.#ack(next.share)
        break
      case 'sub':
        this.#subscribe(next.pattern)
        break
      case 'unsub':
        for (const id of [...this.subs.keys()].slice(0, 1)) {
          this.session.remove(id)
          this.subs.delete(id)
        }
        break
      case 'resume':
        this.#resume()
    }
    this.#check()
  }

  /** Everything is settled as it comes, until there is nothing more. */
  finish(): void {
    for (let before = -1; before < this.session.position;) {
      before = this.session.position
      this.do({ do: 'flush' })
      this.do({ do: 'ack', share: 1 })
    }
    if (this.subs.size > 0) expect(this.session.position).toBe(this.log.lastOffset)
  }

  sendText(text: string): void {
    const [verb, from = '', to = '', why] = text.split(' ')
    if (verb === 'gap') {
      if (why === 'size') {
        for (const offset of range(Number(from), Number(to))) {
          if (this.#matches(offset)) expect(this.big.has(offset)).toBe(true)
        }
      }
      this.lost.push({ from: Number(from), to: Number(to) })
      this.lastSent = Number(to)
    } else this.lastSent = Number(from)
  }

  send(data: Buffer): void {
    expect(data.length).toBeLessThanOrEqual(MESSAGE_BYTES)
    for (const line of data.toString().split('\n')) {
      const offset = Number(line.split(' ')[1])
      expect(offset).toBeGreaterThan(this.lastSent)
      expect(this.#matches(offset)).toBe(true)
      this.got.add(offset)
      this.lastSent = offset
    }
  }

  #append(type: string, isBig: boolean): void {
    this.types.push(type)
    if (isBig) this.big.add(this.types.length)
    const line = Buffer.from(`${type} i ${isBig ? 'x'.repeat(MESSAGE_BYTES) : '{}'}`)
    this.log.append(false, line, 0, line.length, type, 0)
  }

  #ack(share: number): void {
    const offset = Math.round(this.cursor + share * (this.session.lastSentOffset - this.cursor))
    this.session.ack(offset)
    this.cursor = Math.max(this.cursor, offset)
  }

  #subscribe(pattern: string): void {
    const since = Math.max(this.log.lastOffset, this.session.lastSentOffset)
    const id = ++this.#id
    if (this.subs.size === 0) this.session.restart(this.log.lastOffset)
    this.session.add(id, { pattern, mode: 'alo' }, since)
    this.subs.set(id, { pattern, since })
  }

  #resume(): void {
    this.session.begin(this.cursor, { events: 5, bytes: 10_000 }, MESSAGE_BYTES)
    this.got = new Set([...this.got].filter((offset) => offset <= this.cursor))
    this.lastSent = this.cursor
  }

  #matches(offset: number): boolean {
    const type = this.types[offset - 1] ?? ''
    return [...this.subs.values()].some((sub) => offset > sub.since && matches(sub.pattern, type))
  }

  #check(): void {
    const { session, log } = this
    expect(session.unackedEvents).toBeLessThanOrEqual(5)
    expect(session.acked).toBeLessThanOrEqual(session.lastSentOffset)
    // What was passed was sent, or named in a gap, or lies before the cursor that the subscriber itself named.
    for (let offset = this.cursor + 1; offset <= session.position; offset++) {
      const isNamed = this.lost.some(({ from, to }) => from <= offset && offset <= to)
      if (this.#matches(offset)) expect(this.got.has(offset) || isNamed).toBe(true)
    }
    expect(session.lost(log)).toBe(this.#newestLost())
  }

  #newestLost(): number {
    for (let offset = log0(this.log); offset > this.session.position; offset--) {
      if (this.#matches(offset)) return offset
    }
    return 0
  }
}

/** The newest offset that left the log. */
const log0 = (log: EventLog): number => log.firstOffset - 1

/** An outlet that keeps what is sent. */
function collect(): MessageOutlet & { readonly sent: Buffer[] } {
  const sent: Buffer[] = []
  return { sent, isFull: false, sendText: () => {}, send: (data) => void sent.push(data) }
}

/** The lines that one flush sends. */
function sentBy(session: SubscriberSession, log: EventLog, flush: number): string[] {
  const outlet = collect()
  session.pump(log, outlet, newCounters(), flush, false)
  return outlet.sent.flatMap((data) => data.toString().split('\n'))
}

describe('a subscriber session', () => {
  it('passes no event that matches without sending it or naming it in a gap, and names none that is not lost', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const run = new Run()
        run.do({ do: 'sub', pattern: 'a' })
        for (const next of steps) run.do(next)
        run.finish()
      }),
      { numRuns: 500 },
    )
  })

  it('needs the oldest event that it has not settled, and nothing that matches no subscription', () => {
    const log = new EventLog({ maxEvents: 100, maxBytes: 10_000, maxAgeMs: Infinity })
    const session = new SubscriberSession(new PatternSets(log), { events: 100, bytes: 10_000 })
    session.add(1, { pattern: 'a', mode: 'alo' }, 0)
    const append = (type: string): number => log.append(false, Buffer.from('x'), 0, 1, type, 0)
    append('b')
    append('b')
    expect(session.needs(log)).toBe(3)
    append('a')
    append('b')
    append('a')
    append('b')
    expect(session.needs(log)).toBe(3)
    session.pump(log, collect(), newCounters(), 1, false)
    expect(session.needs(log)).toBe(3)
    session.ack(3)
    expect(session.needs(log)).toBe(5)
    session.ack(5)
    expect(session.needs(log)).toBe(7)
  })

  it('takes an acknowledgement inside a batch with gaps for exactly the events up to it', () => {
    const log = new EventLog({ maxEvents: 100, maxBytes: 10_000, maxAgeMs: Infinity })
    const session = new SubscriberSession(new PatternSets(log), { events: 100, bytes: 10_000 })
    session.add(1, { pattern: 'a', mode: 'alo' }, 0)
    for (const type of 'abbaaba') log.append(false, Buffer.from('x'), 0, 1, type, 0)
    session.pump(log, collect(), newCounters(), 1, false)
    const left = [0, 1, 2, 3, 4, 5, 6, 7].map((offset) => {
      session.ack(offset)
      return session.unackedEvents
    })
    expect(left).toEqual([4, 3, 3, 3, 2, 1, 1, 0])
    expect(session.needs(log)).toBe(8)
  })

  it('looks for the set of all its patterns when something is read, not at each subscription', () => {
    const log = new EventLog({ maxEvents: 100, maxBytes: 10_000, maxAgeMs: Infinity })
    const sets = new PatternSets(log)
    const session = new SubscriberSession(sets, { events: 100, bytes: 10_000 })
    for (let id = 0; id < 50; id++) {
      session.add(id, { pattern: `p${id}`, mode: 'alo' }, 0)
      session.pump(log, collect(), newCounters(), id, false)
      sets.endFlush()
    }
    // One set for each subscription, and none yet for all of them.
    expect(sets.size).toBe(50)
    log.append(false, Buffer.from('x'), 0, 1, 'p7', 0)
    expect(sentBy(session, log, 1)).toEqual(['ev 1 x'])
    expect(sets.size).toBe(51)
    session.remove(7)
    expect(session.matches('p7', 1)).toBe(false)
    session.end()
    expect(sets.size).toBe(0)
  })

  it('is passed by while nothing matches, and sent its position after a thousand events of other types', () => {
    const log = new EventLog({ maxEvents: 10_000, maxBytes: 1e6, maxAgeMs: Infinity })
    const session = new SubscriberSession(new PatternSets(log), { events: 100, bytes: 10_000 })
    const append = (type: string): number => log.append(false, Buffer.from('x'), 0, 1, type, 0)
    session.add(1, { pattern: 'mine.*', mode: 'alo' }, 0)
    append('others.x')
    // Not known yet.
    expect(session.passBy(log.lastOffset)).toBe(false)
    expect(sentBy(session, log, 1)).toEqual([])
    append('others.x')
    expect(session.passBy(log.lastOffset)).toBe(true)
    expect(session.position).toBe(2)
    append('mine.x')
    expect(session.passBy(log.lastOffset)).toBe(false)
    expect(sentBy(session, log, 2)).toEqual(['ev 3 x'])
    expect(session.lastSentOffset).toBe(3)
    for (let n = 1; n < 1_024; n++) append('others.x')
    expect(session.passBy(log.lastOffset)).toBe(true)
    append('others.x')
    expect(session.passBy(log.lastOffset)).toBe(false)
  })

  it('looks through nothing again because its client says the same subscriptions once more', () => {
    const log = new EventLog({ maxEvents: 10_000, maxBytes: 1e6, maxAgeMs: Infinity })
    const sets = new PatternSets(log)
    const session = new SubscriberSession(sets, { events: 100, bytes: 10_000 })
    const append = (type: string): number => log.append(false, Buffer.from('x'), 0, 1, type, 0)
    session.add(1, { pattern: 'mine.*', mode: 'alo' }, 0)
    for (let flush = 0; flush < 2; flush++) sets.endFlush()
    for (let n = 0; n < 1_000; n++) append('others.x')
    append('mine.x')
    session.remove(1)
    session.add(1, { pattern: 'mine.*', mode: 'alo' }, 0)
    const spy = vi.spyOn(log, 'typeOf')
    expect(session.needs(log)).toBe(1_001)
    expect(spy.mock.calls.length).toBeLessThan(3)
    expect(sentBy(session, log, 2)).toEqual(['ev 1001 x'])
    expect(session.position).toBe(1_001)
  })

  it('does not pass by what only its newest subscription matches', () => {
    const log = new EventLog({ maxEvents: 100, maxBytes: 10_000, maxAgeMs: Infinity })
    const sets = new PatternSets(log)
    const session = new SubscriberSession(sets, { events: 100, bytes: 10_000 })
    const append = (type: string): number => log.append(false, Buffer.from('x'), 0, 1, type, 0)
    session.add(1, { pattern: 'a', mode: 'alo' }, 0)
    append('a')
    expect(sentBy(session, log, 1)).toEqual(['ev 1 x'])
    session.add(2, { pattern: 'b', mode: 'alo' }, 1)
    append('b')
    expect(session.passBy(log.lastOffset)).toBe(false)
    expect(sentBy(session, log, 2)).toEqual(['ev 2 x'])
    session.remove(2)
    append('b')
    expect(session.passBy(log.lastOffset)).toBe(false)
    expect(sentBy(session, log, 3)).toEqual([])
    expect(session.position).toBe(3)
  })

  it('says of an acknowledgement whether it is ahead, old, or has moved the session on', () => {
    const log = new EventLog({ maxEvents: 100, maxBytes: 10_000, maxAgeMs: Infinity })
    const session = new SubscriberSession(new PatternSets(log), { events: 2, bytes: 10_000 })
    session.add(1, { pattern: 'a', mode: 'alo' }, 0)
    for (let n = 0; n < 3; n++) log.append(false, Buffer.from('x'), 0, 1, 'a', 0)
    expect(sentBy(session, log, 1)).toEqual(['ev 1 x', 'ev 2 x'])
    expect([3, 1, 1, 2].map((offset) => session.ack(offset))).toEqual([
      'ahead',
      'freed',
      'old',
      'moved',
    ])
  })

  it('makes the set of many patterns again only when it is needed, however slowly they come', () => {
    const sets = new PatternSets(new EventLog({ maxEvents: 1, maxBytes: 1, maxAgeMs: Infinity }))
    const session = new SubscriberSession(sets, { events: 100, bytes: 10_000 })
    const made = vi.spyOn(sets, 'acquire')
    for (let id = 0; id < 100; id++) {
      session.add(id, { pattern: `p${id}.*`, mode: 'alo' }, 0)
      for (let flush = 0; flush < 3; flush++) sets.endFlush()
    }
    // One for each subscription, and one of all for each of the first few.
    expect(made.mock.calls.length).toBeLessThan(120)
  })

  it('sends the same bytes to all with the same patterns and the same position', () => {
    const log = new EventLog({ maxEvents: 100, maxBytes: 10_000, maxAgeMs: Infinity })
    const sets = new PatternSets(log)
    const readers = ['a b', 'b a', 'a'].map((patterns) => {
      const session = new SubscriberSession(sets, { events: 100, bytes: 10_000 })
      for (const [id, pattern] of patterns.split(' ').entries()) {
        session.add(id, { pattern, mode: 'alo' }, 0)
      }
      return session
    })
    for (const type of ['a', 'c', 'b']) log.append(false, Buffer.from('x'), 0, 1, type, 0)
    const [first, second, other] = readers.map((session) => {
      const outlet = collect()
      session.pump(log, outlet, newCounters(), 1, false)
      return outlet.sent[0]
    })
    expect(second).toBe(first)
    expect(first?.toString()).toBe('ev 1 x\nev 3 x')
    expect(other?.toString()).toBe('ev 1 x')
    for (const session of readers) session.end()
    expect(sets.size).toBe(0)
  })
})
