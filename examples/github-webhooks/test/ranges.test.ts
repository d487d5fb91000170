import { expect, test } from 'vitest'
import { printRange, toNumbers, toRanges } from '../src/ranges.ts'

test('joins neighbours into ranges, whatever the order and however often they come', () => {
  expect(toRanges([7, 1, 3, 2, 9, 8, 2])).toEqual([
    { from: 1, to: 3 },
    { from: 7, to: 9 },
  ])
  expect(toRanges([])).toEqual([])
})

test('gives back the numbers that went into the ranges', () => {
  const numbers = [1, 2, 5, 6, 7, 40]
  expect([...toNumbers(toRanges(numbers))]).toEqual(numbers)
})

test('prints a range of one number as that number', () => {
  expect(printRange({ from: 7, to: 7 })).toBe('7')
  expect(printRange({ from: 7, to: 12 })).toBe('7–12')
})
