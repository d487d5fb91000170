import { describe, expect, test } from 'vitest'
import { complaints, type Observed } from './subscriber-log.ts'

const STRICT = { isOrdered: true, dedupes: true }
const LAX = { isOrdered: false, dedupes: false }

/** Numbers are events of publisher 0. */
const observed = (...list: readonly (number | 'gap')[]): Observed[] =>
  list.map((one) => (one === 'gap' ? one : { by: 0, n: one }))

describe('the log of one subscription', () => {
  test.each<[name: string, observed: Observed[], confirmed: number[]]>([
    ['everything, in order', observed(0, 1, 2), [0, 1, 2]],
    ['a gap where something is missing', observed(0, 'gap', 3), [0, 1, 2, 3]],
    ['a gap for what is missing at the end', observed(0, 'gap'), [0, 1]],
    ['a gap where nothing is missing', observed(0, 'gap', 1), [0, 1]],
    ['more than was confirmed', observed(0, 1, 2), [0, 2]],
    ['two gaps for two holes', observed('gap', 1, 'gap', 3), [0, 1, 2, 3]],
  ])('%s: fine', (_name, log, confirmed) => {
    expect(complaints(log, [confirmed], STRICT)).toEqual([])
  })

  test.each<[name: string, observed: Observed[], confirmed: number[], complaint: string]>([
    ['a hole without a gap', observed(0, 2), [0, 1, 2], '0/1 is missing'],
    ['a gap that comes after what is later', observed(0, 2, 'gap'), [0, 1, 2], '0/1 is missing'],
    ['a gap that came before what is earlier', observed('gap', 0, 2), [0, 1, 2], '0/1 is missing'],
    ['a gap for the first of two holes', observed('gap', 1, 3), [0, 1, 2, 3], '0/2 is missing'],
    ['nothing at all', observed(), [0], '0/0 is missing'],
    ['an event twice', observed(0, 1, 0), [0, 1], '0/0 came twice'],
    ['an event behind a later one', observed(1, 0), [0, 1], '0/0 came after 0/1'],
  ])('%s: not', (_name, log, confirmed, complaint) => {
    expect(complaints(log, [confirmed], STRICT).join()).toContain(complaint)
  })

  test('order and repetitions count only where they are promised', () => {
    expect(complaints(observed(1, 0, 1), [[0, 1]], LAX)).toEqual([])
    expect(complaints(observed(2, 'gap', 0), [[0, 1, 2]], LAX)).toEqual([])
    expect(complaints(observed(2, 0), [[0, 1, 2]], LAX)).toHaveLength(1)
  })

  test('each publisher counts for itself', () => {
    const log: Observed[] = [{ by: 0, n: 0 }, { by: 1, n: 0 }, 'gap', { by: 1, n: 2 }]
    expect(complaints(log, [[0], [0, 1, 2]], STRICT)).toEqual([])
    expect(
      complaints(
        log,
        [
          [0, 1],
          [0, 2],
        ],
        STRICT,
      ),
    ).toEqual([])
    expect(complaints(log, [[], [], [0]], STRICT)).toEqual([])
    expect(complaints(log.toSpliced(2, 1), [[0, 1], [0]], STRICT)).toHaveLength(1)
  })
})
