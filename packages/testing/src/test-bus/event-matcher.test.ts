import { createEvent } from '@bus/core'
import { expect, test } from 'vitest'
import { isEvent } from './event-matcher.ts'

const event = createEvent('order.created', { total: 3 })

test.each([
  ['order.created', true],
  ['order.*', true],
  ['>', true],
  ['order', false],
  ['order.paid', false],
])('the pattern %s matches an order that was created: %s', (pattern, isMatch) => {
  expect(isEvent(pattern)(event)).toBe(isMatch)
})

test('a function decides by itself', () => {
  expect(isEvent(({ payload }) => payload === event.payload)(event)).toBe(true)
  expect(isEvent(() => false)(event)).toBe(false)
})

test.each([[''], ['order..created'], ['a b']])('%j is no pattern', (pattern) => {
  expect(() => isEvent(pattern)).toThrow(/pattern/i)
})

test.each([[undefined], [5], [{}]])('%o is nothing to match by', (matcher) => {
  expect(() => isEvent(matcher as never)).toThrow('a pattern or a function')
})
