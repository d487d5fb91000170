import { expect, test } from 'vitest'
import {
  collectValues,
  holds,
  NOTHING,
  withoutValue,
  withValue,
  type Held,
} from './pattern-index.ts'

function valuesOf<T>(held: Held<T>): T[] {
  const found: T[] = []
  collectValues(held, found)
  return found
}

test('values come and go one by one, and the last leaves nothing', () => {
  let held: Held<string> = NOTHING
  for (const value of ['a', 'b', 'c']) held = withValue(held, value)
  expect(valuesOf(held)).toEqual(['a', 'b', 'c'])
  for (const value of ['b', 'a']) held = withoutValue(held, value)
  expect(valuesOf(held)).toEqual(['c'])
  expect([holds(held, 'a'), holds(held, 'c')]).toEqual([false, true])
  expect(withoutValue(held, 'c')).toBe(NOTHING)
})

test('a value that is itself a set is one value', () => {
  const value = new Set(['a', 'b'])
  const held = withValue<Set<string>>(NOTHING, value)
  expect(valuesOf(held)).toEqual([value])
  expect(valuesOf(withValue(held, new Set<string>()))).toEqual([value, new Set()])
})

test('undefined is a value', () => {
  const held = withValue<undefined>(NOTHING, undefined)
  expect(valuesOf(held)).toEqual([undefined])
  expect([holds(held, undefined), holds<undefined>(NOTHING, undefined)]).toEqual([true, false])
})

test.each([
  [Number.NaN, Number.NaN],
  [0, -0],
])('%s and %s are the same value alone as they are among several', (value, same) => {
  const alone = withValue<number>(NOTHING, value)
  expect(holds(alone, same)).toBe(true)
  expect(holds(withValue(alone, 1), same)).toBe(true)
})
