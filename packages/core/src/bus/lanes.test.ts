import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lanes } from './workers.ts'

test('gives out one item per key at a time', () => {
  const lanes = new Lanes<number>()
  lanes.add('a', 1)
  lanes.add('a', 2)
  lanes.add('b', 3)
  expect(lanes.next()).toEqual({ key: 'a', item: 1 })
  expect(lanes.next()).toEqual({ key: 'b', item: 3 })
  expect(lanes.next()).toBeUndefined()
  lanes.done('a')
  expect(lanes.next()).toEqual({ key: 'a', item: 2 })
})

test('keeps no key that has nothing waiting and nothing out', () => {
  const lanes = new Lanes<number>()
  lanes.add('a', 1)
  lanes.next()
  expect(lanes.size).toBe(1)
  lanes.done('a')
  expect(lanes.size).toBe(0)
})

test('clears what waits and returns it', () => {
  const lanes = new Lanes<number>()
  lanes.add('a', 1)
  lanes.add('a', 2)
  lanes.next()
  expect(lanes.clear()).toEqual([2])
  expect(lanes.waiting).toBe(0)
  lanes.done('a')
  expect(lanes.next()).toBeUndefined()
})

test('keeps the order of each key, whatever the order in which items end', () => {
  const step = fc.oneof(
    fc.record({ add: fc.constantFrom('a', 'b', 'c', '__proto__') }),
    fc.record({ end: fc.nat() }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const lanes = new Lanes<{ key: string; n: number }>()
      const seen = new Map<string, number[]>()
      const out: string[] = []
      let n = 0
      const takeAll = (): void => {
        for (let next = lanes.next(); next !== undefined; next = lanes.next()) {
          expect(out).not.toContain(next.key)
          out.push(next.key)
          seen.set(next.key, [...(seen.get(next.key) ?? []), next.item.n])
        }
      }
      for (const each of steps) {
        if ('add' in each) lanes.add(each.add, { key: each.add, n: n++ })
        else lanes.done(out.splice(each.end % Math.max(1, out.length), 1)[0] ?? 'none')
        takeAll()
      }
      while (out.length > 0) {
        lanes.done(out.pop() ?? '')
        takeAll()
      }
      const all = [...seen.values()]
      expect(all.flat()).toHaveLength(n)
      for (const order of all) expect(order).toEqual(order.toSorted((x, y) => x - y))
    }),
  )
})
