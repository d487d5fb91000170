import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventLog } from './log.ts'
import { PatternSets, type PatternSet } from './pattern-set.ts'

const TYPES = ['a', 'b', 'user.1.x', 'user.1.y', 'user.2.x', 'user.2']
const PATTERNS = [...TYPES, 'user.1.*', 'user.*.x', 'user.>', '*', '>']
const LIMITS = { maxEvents: 1e6, maxBytes: 1e9, maxAgeMs: Infinity, segmentBytes: 400 }

const newLog = (): EventLog => new EventLog(LIMITS)

function append(log: EventLog, type: string): void {
  log.append(false, Buffer.from(`${type} i {}`), 0, type.length + 5, type, 0)
}

/** The offsets of everything behind the cursor, as readers get it. */
function read(set: PatternSet, log: EventLog, from: number, flush: number): number[] {
  const offsets: number[] = []
  for (let cursor = from; cursor < log.lastOffset;) {
    const { data, upTo } = set.batchAfter(log, cursor, flush)
    expect(upTo).toBeGreaterThan(cursor)
    const lines = data?.toString().split('\n') ?? []
    offsets.push(...lines.map((line) => Number(line.split(' ')[1])))
    cursor = upTo
  }
  return offsets
}

/** Reads to the end, and compares it with what the patterns match. */
function compareReading(set: PatternSet, log: EventLog, from: number, flush: number): void {
  const cursor = Math.max(0, from)
  const all = Array.from({ length: log.lastOffset - cursor }, (_, i) => cursor + 1 + i)
  const expected = all.filter((offset) => set.matches(log.typeOf(offset)))
  expect(read(set, log, cursor, flush)).toEqual(expected)
}

describe('a pattern set', () => {
  it('gives every reader exactly what its patterns match, wherever it stands and since when it is there', () => {
    const step = fc.oneof(
      { weight: 12, arbitrary: fc.record({ type: fc.constantFrom(...TYPES), count: fc.nat(40) }) },
      { weight: 6, arbitrary: fc.record({ patterns: fc.subarray(PATTERNS, { minLength: 1 }) }) },
      { weight: 6, arbitrary: fc.record({ index: fc.nat(5), back: fc.nat(200) }) },
      { weight: 1, arbitrary: fc.record({ ends: fc.nat(5) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const log = newLog()
        const sets = new PatternSets(log)
        const known: PatternSet[] = []
        for (const [flush, next] of steps.entries()) {
          if ('type' in next) for (let n = 0; n < next.count; n++) append(log, next.type)
          else if ('patterns' in next) known.push(sets.acquire(next.patterns))
          else if ('ends' in next) for (const set of known.splice(next.ends, 1)) sets.release(set)
          else {
            const set = known[next.index]
            if (set !== undefined) compareReading(set, log, log.lastOffset - next.back, flush + 1)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('compares no event that does not match for a reader that is up to date, and goes beyond all of them at once', () => {
    const log = newLog()
    const set = new PatternSets(log).acquire(['user.1.*'])
    append(log, 'user.1.x')
    expect(read(set, log, 0, 1)).toEqual([1])
    for (let n = 0; n < 1_000; n++) append(log, 'user.2.x')
    expect(set.batchAfter(log, 1, 2)).toMatchObject({ upTo: 1_001, data: undefined })
    expect(set.firstBehind(1)).toBe(Infinity)
    append(log, 'user.1.y')
    expect(set.firstBehind(1)).toBe(1_002)
    expect(read(set, log, 1, 3)).toEqual([1_002])
  })

  it('notes no match before a reader uses it, and none after the last reader has left', () => {
    const log = newLog()
    const sets = new PatternSets(log)
    const set = sets.acquire(['a'])
    append(log, 'a')
    expect(set.firstBehind(1)).toBeUndefined()
    expect(read(set, log, 0, 1)).toEqual([1])
    expect(set.firstBehind(1)).toBe(Infinity)
    sets.release(set)
    append(log, 'a')
    expect(set.firstBehind(1)).toBe(Infinity)
    expect(sets.size).toBe(0)
  })

  it('knows of every cursor exactly what matches behind it, or that it does not know', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 200 })
    fc.assert(
      fc.property(fc.nat(10), steps, fc.nat(900), fc.nat(900), (from, gaps, cursor, length) => {
        const log = newLog()
        const set = new PatternSets(log).acquire(['user.1.*'])
        append(log, 'a')
        for (let n = 0; n < from; n++) append(log, 'a')
        set.watch(log)
        const start = log.lastOffset
        for (const gap of gaps) {
          for (let n = 1; n < gap; n++) append(log, 'a')
          append(log, 'user.1.x')
        }
        const segment = log.segmentOf(1)
        if (segment === undefined) throw new Error('nothing was evicted')
        const all = Array.from({ length: log.lastOffset }, (_, i) => i + 1)
        const matching = all.filter((offset) => log.typeOf(offset) === 'user.1.x')
        const behind = matching.filter((offset) => offset > cursor)
        const found = set.lookUp(segment, cursor, cursor + length)
        const isKnown = found !== undefined
        // The newest are known always.
        expect(isKnown || cursor < start || behind.length >= 64).toBe(true)
        expect(found ?? []).toEqual(isKnown ? behind.filter((o) => o <= cursor + length) : [])
        expect(set.firstBehind(cursor)).toBe(isKnown ? (behind[0] ?? Infinity) : undefined)
      }),
    )
  })

  it('knows what matches behind a reader that is up to date, however much did before', () => {
    const log = newLog()
    const set = new PatternSets(log).acquire(['user.1.*'])
    set.watch(log)
    for (let offset = 1; offset <= 1_000; offset++) {
      expect(set.firstBehind(offset - 1)).toBe(Infinity)
      append(log, 'user.1.x')
      const segment = log.segmentOf(offset)
      expect(segment && set.lookUp(segment, offset - 1, offset)).toEqual([offset])
    }
  })

  it('remembers no type for readers that have caught up, however many types there are', () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const log = newLog()
    const sets = new PatternSets(log)
    const readers = Array.from({ length: 200 }, (_, n) => sets.acquire([`user.${n}.*`]))
    for (let n = 0; n < 500; n++) append(log, `user.${n}.x`)
    gc()
    const before = process.memoryUsage().heapUsed
    // They come late, so each of them compares each event.
    for (const set of readers) read(set, log, 0, 1)
    for (let flush = 2; flush < 4; flush++) sets.endFlush()
    gc()
    // An answer for each set and type is 10 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2_000_000)
  })
})
