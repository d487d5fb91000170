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
function read(set: PatternSet, log: EventLog, from: number, turn: number): number[] {
  const offsets: number[] = []
  for (let cursor = from; cursor < log.head;) {
    const { data, upTo } = set.frameAfter(log, cursor, turn)
    expect(upTo).toBeGreaterThan(cursor)
    const lines = data?.toString().split('\n') ?? []
    offsets.push(...lines.map((line) => Number(line.split(' ')[1])))
    cursor = upTo
  }
  return offsets
}

/** Reads to the end, and compares it with what the patterns match. */
function compareReading(set: PatternSet, log: EventLog, from: number, turn: number): void {
  const cursor = Math.max(0, from)
  const all = Array.from({ length: log.head - cursor }, (_, i) => cursor + 1 + i)
  const wanted = all.filter((offset) => set.wants(log.typeOf(offset)))
  expect(read(set, log, cursor, turn)).toEqual(wanted)
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
        for (const [turn, next] of steps.entries()) {
          if ('type' in next) for (let n = 0; n < next.count; n++) append(log, next.type)
          else if ('patterns' in next) known.push(sets.acquire(next.patterns))
          else if ('ends' in next) for (const set of known.splice(next.ends, 1)) sets.release(set)
          else {
            const set = known[next.index]
            if (set !== undefined) compareReading(set, log, log.head - next.back, turn + 1)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('asks about no event of others for a reader that is up to date, and goes beyond all of them at once', () => {
    const log = newLog()
    const set = new PatternSets(log).acquire(['user.1.*'])
    append(log, 'user.1.x')
    expect(read(set, log, 0, 1)).toEqual([1])
    for (let n = 0; n < 1_000; n++) append(log, 'user.2.x')
    expect(set.frameAfter(log, 1, 2)).toMatchObject({ upTo: 1_001, data: undefined })
    expect(set.firstBehind(1)).toBe(Infinity)
    append(log, 'user.1.y')
    expect(set.firstBehind(1)).toBe(1_002)
    expect(read(set, log, 1, 3)).toEqual([1_002])
  })

  it('is told of nothing before somebody reads with it, and of nothing after the last reader has gone', () => {
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

  it('remembers no type for readers that have caught up, however many types there are', () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const log = newLog()
    const sets = new PatternSets(log)
    const readers = Array.from({ length: 200 }, (_, n) => sets.acquire([`user.${n}.*`]))
    for (let n = 0; n < 500; n++) append(log, `user.${n}.x`)
    gc()
    const before = process.memoryUsage().heapUsed
    // They come late, so each of them asks about each event.
    for (const set of readers) read(set, log, 0, 1)
    for (let turn = 2; turn < 4; turn++) sets.tidy()
    gc()
    // An answer for each set and type is 10 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2_000_000)
  })
})
