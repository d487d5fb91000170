import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EvictionMarks, EventLog } from './log.ts'
import type { EventFilter } from './segment.ts'

const TYPES = ['a', 'b', 'order.created', 'x'.repeat(60)]

interface Entry {
  readonly offset: number
  readonly type: string
  readonly line: string
}

/** The same in the most simple way: an array, and what was cut off from its front. */
class NaiveLog {
  readonly gone: Entry[] = []
  readonly entries: Entry[] = []

  get lastOffset(): number {
    return this.gone.length + this.entries.length
  }

  append(type: string, body: string, resent: boolean): void {
    const offset = this.lastOffset + 1
    this.entries.push({ offset, type, line: `${resent ? 'rv' : 'ev'} ${offset} ${body}` })
  }

  evictOldest(): void {
    this.gone.push(...this.entries.splice(0, 1))
  }

  get bytes(): number {
    return this.entries.reduce((sum, { line }) => sum + line.length + 1, 0)
  }
}

type Step =
  | {
      readonly do: 'append'
      readonly type: string
      readonly body: string
      readonly resent: boolean
    }
  | { readonly do: 'evict' }
  | {
      readonly do: 'read'
      readonly cursor: number
      readonly types: readonly string[]
      /** Whether the types are named, so that they are looked up. */
      readonly named: boolean
      readonly events: number
      readonly bytes: number
      readonly messageBytes: number
    }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      // One is much more frequent, so that the others are few.
      type: fc.oneof({ weight: 9, arbitrary: fc.constant('a') }, fc.constantFrom(...TYPES)),
      body: fc.integer({ min: 1, max: 120 }).map((length) => 'y'.repeat(length)),
      resent: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'evict' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      cursor: fc.nat(60),
      types: fc.subarray(TYPES),
      named: fc.boolean(),
      events: fc.integer({ min: 1, max: 20 }),
      bytes: fc.integer({ min: 1, max: 1_000 }),
      messageBytes: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 150 })),
    }),
  },
)

/** Reads to the end, and compares what came, and what is said to be lost. */
function compareReading(log: EventLog, naive: NaiveLog, read: Extract<Step, { do: 'read' }>): void {
  const matches = (type: string): boolean => read.types.includes(type)
  const filter: EventFilter = {
    matches,
    lookUp: (segment, from) => (read.named ? segment.offsetsOf(read.types, from) : undefined),
  }
  const lost = naive.gone.filter(({ offset, type }) => offset > read.cursor && matches(type))
  expect(log.lostBeyond(read.cursor, matches)).toBe(lost.at(-1)?.offset ?? 0)
  const lines: string[] = []
  const passed: number[] = []
  let cursor = Math.max(read.cursor, log.firstOffset - 1)
  while (cursor < log.lastOffset) {
    const { upTo, data, events: found, tooLarge } = log.batch(cursor, filter, read)
    const text = data?.toString().split('\n') ?? []
    const offsets = text.map((line) => Number(line.split(' ')[1]))
    expect(upTo).toBeGreaterThan(cursor)
    expect(found).toMatchObject({ count: text.length, bytes: data?.length ?? 0 })
    expect([found.first, found.last]).toEqual([offsets[0] ?? 0, offsets.at(-1) ?? 0])
    expect(found.count).toBeLessThanOrEqual(read.events)
    // One event may be larger.
    expect(found.count > 1 ? found.bytes : 0).toBeLessThanOrEqual(read.bytes)
    expect(found.bytes).toBeLessThanOrEqual(read.messageBytes)
    const { from, to } = tooLarge ?? { from: cursor + 1, to: cursor }
    expect(tooLarge === undefined || data === undefined).toBe(true)
    expect(from > cursor && to <= upTo).toBe(true)
    for (let offset = from; offset <= to; offset++) passed.push(offset)
    lines.push(...text)
    cursor = upTo
  }
  const kept = naive.entries.filter(({ offset, type }) => offset > read.cursor && matches(type))
  const fits = ({ line }: Entry): boolean => line.length <= read.messageBytes
  expect(lines).toEqual(kept.filter(fits).map(({ line }) => line))
  const named = kept.filter(({ offset }) => passed.includes(offset))
  expect(named).toEqual(kept.filter((entry) => !fits(entry)))
}

const limits = { maxEvents: 1_000, maxBytes: 1_000_000, maxAgeMs: Infinity }

describe('the log', () => {
  it('behaves like an array from whose front events are cut off', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120 }),
        fc.integer({ min: 60, max: 500 }),
        (steps, segmentBytes) => {
          const log = new EventLog({ ...limits, segmentBytes })
          const naive = new NaiveLog()
          for (const next of steps) {
            if (next.do === 'append') {
              const source = Buffer.from(`pub 1 ${next.body} rest`)
              log.append(next.resent, source, 6, 6 + next.body.length, next.type, 0)
              naive.append(next.type, next.body, next.resent)
            } else if (next.do === 'evict') {
              log.evictOldest()
              naive.evictOldest()
            } else compareReading(log, naive, next)
            expect(log.lastOffset).toBe(naive.lastOffset)
            expect(log.firstOffset).toBe(naive.gone.length + 1)
            expect(log.bytes).toBe(naive.bytes)
            for (const { offset, type } of naive.entries) expect(log.typeOf(offset)).toBe(type)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('takes no more than its events or its bytes, but an event of any size when it is empty', () => {
    const log = new EventLog({ maxEvents: 2, maxBytes: 100, maxAgeMs: Infinity })
    const append = (bytes: number): number =>
      log.append(false, Buffer.alloc(bytes), 0, bytes, 'a', 0)
    expect(append(1_000)).toBe(1)
    log.evictOldest()
    expect(append(44)).toBe(2)
    // 44 bytes, and `ev 2 ` with a line feed.
    expect(log.bytes).toBe(50)
    expect(append(45)).toBe(0)
    expect([log.events, log.bytes, log.lastOffset]).toEqual([1, 50, 2])
    expect(append(44)).toBe(3)
    expect(append(1)).toBe(0)
    log.evictOldest()
    expect(append(1)).toBe(4)
  })

  it('calls onFull while it is full, as often as one event needs', () => {
    const log = new EventLog({ maxEvents: 10, maxBytes: 60, maxAgeMs: Infinity })
    const append = (bytes: number): number =>
      log.append(false, Buffer.alloc(bytes), 0, bytes, 'a', 7)
    for (let n = 0; n < 3; n++) append(14)
    const calls: number[] = []
    log.onFull = (now) => {
      calls.push(now)
      if (log.events === 1) return false
      log.evictOldest()
      return true
    }
    expect(append(30)).toBe(4)
    expect(calls).toEqual([7, 7])
    // The last one may not leave.
    expect(append(30)).toBe(0)
    expect(log).toMatchObject({ firstOffset: 4, lastOffset: 4, events: 1 })
  })

  it('knows when its oldest event is too old, never before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { minLength: 1, maxLength: 50 }),
        fc.nat(400),
        (waits, later) => {
          const log = new EventLog({ ...limits, maxAgeMs: 100 })
          const times: number[] = []
          let now = 0
          for (const wait of waits) {
            now += wait
            times.push(now)
            log.append(false, Buffer.from('x'), 0, 1, 'a', now)
          }
          now += later
          while (log.isOldestTooOld(now)) log.evictOldest()
          const kept = times.slice(log.firstOffset - 1)
          for (const at of times.slice(0, log.firstOffset - 1))
            expect(now - at).toBeGreaterThanOrEqual(100)
          // Known to a sixty-fourth, so that not every event needs a time of its own.
          for (const at of kept) expect(now - at).toBeLessThan(102)
        },
      ),
    )
  })

  it('keeps a batch as it was, whatever happens to the log', () => {
    const log = new EventLog({ ...limits, segmentBytes: 40 })
    log.append(false, Buffer.from('first'), 0, 5, 'a', 0)
    const filter: EventFilter = { matches: () => true, lookUp: () => undefined }
    const { data } = log.batch(0, filter, { events: 1, bytes: 100, messageBytes: 100 })
    for (let i = 0; i < 50; i++) {
      log.append(false, Buffer.from('other'), 0, 5, 'a', 0)
      log.evictOldest()
    }
    expect(data?.toString()).toBe('ev 1 first')
    expect(log.segmentOf(1)).toBeUndefined()
  })
})

describe('eviction marks', () => {
  it('are exact up to a number of types, and only ever too high beyond it', () => {
    const marks = new EvictionMarks(2)
    const only = (type: string) => (other: string) => other === type
    marks.add('a', 1)
    marks.add('b', 2)
    marks.add('c', 3)
    marks.add('a', 4)
    expect(marks.highest(only('a'), 0)).toBe(4)
    expect(marks.highest(only('b'), 0)).toBe(3)
    expect(marks.highest(only('c'), 0)).toBe(3)
    expect(marks.highest(only('a'), 4)).toBe(0)
    expect(marks.highest(only('b'), 3)).toBe(0)
  })
})
