import { expect, test } from 'vitest'
import { pressureOf } from './pressure.ts'

test.each([
  [0, 'none'],
  [0.249, 'none'],
  [0.25, 'low'],
  [0.499, 'low'],
  [0.5, 'medium'],
  [0.749, 'medium'],
  [0.75, 'high'],
  [1, 'high'],
  [2, 'high'],
] as const)('a fill of %d is a pressure of %s', (fill, pressure) => {
  expect(pressureOf(fill)).toBe(pressure)
})
