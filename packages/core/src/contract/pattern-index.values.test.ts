import { expect, test } from 'vitest'
import {
  collectValues,
  hasValue,
  NOTHING,
  withoutValue,
  withValue,
  type Values,
} from './pattern-index.ts'

function valuesOf<T>(values: Values<T>): T[] {
  const found: T[] = []
  collectValues(values, found)
  return found
}

test('values come and go one by one, and the last leaves nothing', () => {
  let values: Values<string> = NOTHING
  for (const value of ['a', 'b', 'c']) values = withValue(values, value)
  expect(valuesOf(values)).toEqual(['a', 'b', 'c'])
  for (const value of ['b', 'a']) values = withoutValue(values, value)
  expect(valuesOf(values)).toEqual(['c'])
  expect([hasValue(values, 'a'), hasValue(values, 'c')]).toEqual([false, true])
  expect(withoutValue(values, 'c')).toBe(NOTHING)
})

test('a value that is itself a set is one value', () => {
  const value = new Set(['a', 'b'])
  const values = withValue<Set<string>>(NOTHING, value)
  expect(valuesOf(values)).toEqual([value])
  expect(valuesOf(withValue(values, new Set<string>()))).toEqual([value, new Set()])
})

test('undefined is a value', () => {
  const values = withValue<undefined>(NOTHING, undefined)
  expect(valuesOf(values)).toEqual([undefined])
  expect([hasValue(values, undefined), hasValue<undefined>(NOTHING, undefined)]).toEqual([
    true,
    false,
  ])
})

test.each([
  [Number.NaN, Number.NaN],
  [0, -0],
])('%s and %s are the same value alone as they are among several', (value, same) => {
  const alone = withValue<number>(NOTHING, value)
  expect(hasValue(alone, same)).toBe(true)
  expect(hasValue(withValue(alone, 1), same)).toBe(true)
})
