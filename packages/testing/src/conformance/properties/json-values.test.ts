import { expect, test } from 'vitest'
import { seededRandom } from '../../chaos/seeded-random.ts'
import { jsonValue, smaller } from './json-values.ts'

const random = seededRandom(11)
const VALUES = Array.from({ length: 2_000 }, () => jsonValue(random))

test('every value survives JSON as it is', () => {
  for (const value of VALUES) expect(JSON.parse(JSON.stringify(value))).toEqual(value)
})

test('every kind occurs, and what receivers trip over', () => {
  const text = JSON.stringify(VALUES)
  for (const part of [
    'null',
    'true',
    '[]',
    '{}',
    '"__proto__":',
    '9007199254740992',
    '日本語',
    '5e-324',
  ]) {
    expect(text).toContain(part)
  }
  const prototypes = VALUES.filter((value) => typeof value === 'object' && value !== null).map(
    (value) => Object.getPrototypeOf(value) as unknown,
  )
  expect(new Set(prototypes)).toEqual(new Set([Object.prototype, Array.prototype]))
})

test('what is smaller has less in it, so that shrinking ends', () => {
  const size = (value: unknown): number => JSON.stringify(value).length
  for (const value of VALUES.slice(0, 300)) {
    for (const part of smaller(value)) expect(size(part)).toBeLessThan(size(value))
  }
  expect(smaller({ a: 1, b: [2] })).toEqual([1, [2], { b: [2] }, { a: 1 }])
  expect(smaller('ab')).toEqual(['a', 'b'])
  expect([smaller(7), smaller(null), smaller('a')]).toEqual([[], [], []])
})
