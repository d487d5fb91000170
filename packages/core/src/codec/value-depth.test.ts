import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isWithinDepth, isParsedWithinDepth, isPlainWithinDepth } from './json-depth.ts'

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { value }
  return value
}

describe.each([
  ['parsed', isParsedWithinDepth],
  ['plain', isPlainWithinDepth],
])('a %s value is within 64 levels', (_name, isValueWithinDepth) => {
  test.each([0, 1, 63, 64])('at %i', (depth) => {
    expect(isValueWithinDepth(nested(depth), 64)).toBe(true)
  })

  test.each([65, 1_000, 1_000_000])('and no longer at %i', (depth) => {
    expect(isValueWithinDepth(nested(depth), 64)).toBe(false)
  })
})

test('a cycle is deeper than every limit', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  expect(isPlainWithinDepth(cycle, 64)).toBe(false)
})

test.each([
  ['a toJSON of its own', { toJSON: () => [[[1]]] }],
  ['an inherited toJSON', Object.create({ toJSON: () => [[[1]]] })],
  ['an instance', new Error('no')],
  ['a map', new Map()],
  ['a function', () => 1],
])('of %s it cannot be known', (_name, value) => {
  expect(isPlainWithinDepth([value], 64)).toBe(false)
})

test('a date is no deeper than text', () => {
  expect(isPlainWithinDepth({ at: new Date(0) }, 1)).toBe(false)
  expect(isPlainWithinDepth({ at: new Date(0) }, 2)).toBe(true)
})

test('of everything that JSON can hold the answer is that of the text', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 6 }), (value, limit) => {
      const text = JSON.stringify(value)
      const parsed: unknown = JSON.parse(text)
      expect(isParsedWithinDepth(parsed, limit)).toBe(isWithinDepth(text, limit))
      expect(isPlainWithinDepth(parsed, limit)).toBe(isWithinDepth(text, limit))
    }),
  )
})
