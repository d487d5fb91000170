import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isTimestamp } from '../contract/event.ts'
import { formatTimestamp, parseTimestamp } from './json-codec.ts'

test.each([
  ['1970-01-01T00:00:00Z', 0],
  ['2024-02-29T12:34:56.789Z', 1_709_210_096_789],
  ['2024-02-29T12:34:56.789123456Z', 1_709_210_096_789],
  ['2024-02-29T12:34:56.7Z', 1_709_210_096_700],
  ['2024-02-29t12:34:56z', 1_709_210_096_000],
  ['2024-02-29 12:34:56Z', 1_709_210_096_000],
  ['2024-02-29T14:34:56+02:00', 1_709_210_096_000],
  ['2024-02-29T07:04:56-05:30', 1_709_210_096_000],
  ['1990-12-31T23:59:60Z', 662_688_000_000],
  ['0050-01-01T00:00:00Z', -60_589_296_000_000],
])('%s is read as the moment it names', (text, ms) => {
  expect(parseTimestamp(text)).toBe(ms)
})

test.each([
  '',
  'now',
  '2024',
  '2024-02-29',
  '2024-02-29T12:34:56',
  '2024-02-30T00:00:00Z',
  '2023-02-29T00:00:00Z',
  '2024-13-01T00:00:00Z',
  '2024-00-01T00:00:00Z',
  '2024-01-00T00:00:00Z',
  '2024-01-01T24:00:00Z',
  '2024-01-01T00:60:00Z',
  '2024-01-01T00:00:61Z',
  '2024-01-01T00:00:00+24:00',
  '2024-01-01T00:00:00+00:60',
  '+010000-01-01T00:00:00Z',
  '0000-01-01T00:00:00+01:00',
  ' 2024-01-01T00:00:00Z',
  '2024-01-01T00:00:00.Z',
  `2024-01-01T00:00:00.${'1'.repeat(10_000)}Z`,
])('%j is no timestamp', (text) => {
  expect(parseTimestamp(text)).toBeUndefined()
})

test.each([NaN, Infinity, -Infinity, 8.64e15, -8.64e15, '5', null, undefined])(
  '%s is outside what can be written',
  (value) => {
    expect(isTimestamp(value)).toBe(false)
  },
)

test('every moment of the years 0000 to 9999 is read as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), (ms) => {
      expect(isTimestamp(ms)).toBe(true)
      expect(parseTimestamp(formatTimestamp(ms))).toBe(ms)
    }),
  )
})
