import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SortedList, type Ranked } from './sorted-list.ts'

const ranked = fc.record({ priority: fc.integer({ min: -2, max: 2 }), number: fc.nat(50) })
const lists = fc.uniqueArray(ranked, { selector: ({ number }) => number, maxLength: 40 })

function sorted(items: readonly Ranked[]): Ranked[] {
  return items.toSorted((a, b) => b.priority - a.priority || a.number - b.number)
}

test('gives the greatest priority first, and among equals the first number, in any order of adding', () => {
  fc.assert(
    fc.property(lists, (items) => {
      const list = new SortedList()
      for (const item of items) list.add(item)
      expect(list.size).toBe(items.length)
      const first = list.peek()
      const out = items.map(() => list.shift())
      expect(out).toEqual(sorted(items))
      expect(first).toBe(out[0])
      expect(list.shift()).toBeUndefined()
    }),
  )
})

test('an item that is removed is gone, and nothing changes for the others', () => {
  fc.assert(
    fc.property(lists, fc.nat(), (items, pick) => {
      fc.pre(items.length > 0)
      const list = new SortedList()
      for (const item of items) list.add(item)
      const gone = items[pick % items.length]
      expect(gone !== undefined && list.remove(gone)).toBe(true)
      expect(gone !== undefined && list.remove(gone)).toBe(false)
      expect(list.clear()).toEqual(sorted(items.filter((item) => item !== gone)))
      expect(list.size).toBe(0)
    }),
  )
})

test('an equal item is not removed in place of another', () => {
  const list = new SortedList()
  list.add({ priority: 0, number: 1 })
  expect(list.remove({ priority: 0, number: 1 })).toBe(false)
  expect(list.size).toBe(1)
})
