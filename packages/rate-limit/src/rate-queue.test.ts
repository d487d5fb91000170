import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { RateQueue, type Ranked } from './rate-queue.ts'

const place = fc.record({ priority: fc.integer({ min: -2, max: 2 }), number: fc.nat(50) })
const places = fc.uniqueArray(place, { selector: ({ number }) => number, maxLength: 40 })

function sorted(items: readonly Ranked[]): Ranked[] {
  return items.toSorted((a, b) => b.priority - a.priority || a.number - b.number)
}

test('gives the most urgent first, and among equals who came first, in whatever order they are added', () => {
  fc.assert(
    fc.property(places, (items) => {
      const line = new RateQueue()
      for (const item of items) line.add(item)
      expect(line.size).toBe(items.length)
      const first = line.peek()
      const out = items.map(() => line.shift())
      expect(out).toEqual(sorted(items))
      expect(first).toBe(out[0])
      expect(line.shift()).toBeUndefined()
    }),
  )
})

test('who leaves is gone, whoever it is, and changes nothing for the others', () => {
  fc.assert(
    fc.property(places, fc.nat(), (items, pick) => {
      fc.pre(items.length > 0)
      const line = new RateQueue()
      for (const item of items) line.add(item)
      const gone = items[pick % items.length]
      expect(gone !== undefined && line.remove(gone)).toBe(true)
      expect(gone !== undefined && line.remove(gone)).toBe(false)
      expect(line.clear()).toEqual(sorted(items.filter((item) => item !== gone)))
      expect(line.size).toBe(0)
    }),
  )
})

test('somebody else with the same rank is not taken for the one who leaves', () => {
  const line = new RateQueue()
  line.add({ priority: 0, number: 1 })
  expect(line.remove({ priority: 0, number: 1 })).toBe(false)
  expect(line.size).toBe(1)
})
