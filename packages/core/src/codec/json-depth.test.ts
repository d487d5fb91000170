import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isWithinDepth } from './json-depth.ts'

const nested = (depth: number, open = '[', close = ']'): string =>
  open.repeat(depth) + close.repeat(depth)

test.each([63, 64, 65, 10_000, 500_000])('%i levels are within 64 only up to 64', (depth) => {
  expect(isWithinDepth(nested(depth), 64)).toBe(depth <= 64)
  expect(isWithinDepth(nested(depth, '{"a":', '}'), 64)).toBe(depth <= 64)
  expect(isWithinDepth(`{"a":${nested(depth - 1)}}`, 64)).toBe(depth <= 64)
})

test('many brackets side by side are not deep', () => {
  expect(isWithinDepth(`[${Array.from({ length: 1_000 }, () => '{"a":[1]}').join(',')}]`, 3)).toBe(
    true,
  )
  expect(isWithinDepth(`[${Array.from({ length: 1_000 }, () => '{"a":[1]}').join(',')}]`, 2)).toBe(
    false,
  )
})

test('brackets within strings do not count, whatever is escaped before them', () => {
  expect(isWithinDepth(JSON.stringify('['.repeat(1_000)), 1)).toBe(true)
  expect(isWithinDepth(JSON.stringify({ a: `\\"${'{'.repeat(100)}\\` }), 1)).toBe(true)
  expect(isWithinDepth(JSON.stringify({ a: '\\', b: [[[]]] }), 3)).toBe(false)
})

test('of all JSON the answer is that of a recursive count', () => {
  const depthOf = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 0
    return 1 + Math.max(0, ...Object.values(value).map(depthOf))
  }
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 6 }), (value, limit) => {
      const depth = depthOf(JSON.parse(JSON.stringify(value)))
      expect(isWithinDepth(JSON.stringify(value, undefined, 1), limit)).toBe(depth <= limit)
    }),
  )
})
