import { assert, date, integer, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_RETRY_AFTER_MS, retryAfterMs } from './dial.ts'

const NOW = Date.UTC(2030, 0, 15, 12, 0, 0)
const read = (value: string) => retryAfterMs({ 'retry-after': value }, NOW)

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['2', 2_000],
    [' 7 ', 7_000],
    ['60', 60_000],
    ['61', 60_000],
    ['99999999999999999999', 60_000],
    ['Tue, 15 Jan 2030 12:00:05 GMT', 5_000],
    ['Tuesday, 15-Jan-30 12:00:05 GMT', 5_000],
    ['Tue Jan 15 12:00:05 2030', 5_000],
    ['Tue, 15 Jan 2030 11:00:00 GMT', 0],
    ['Tue, 15 Jan 2030 13:00:00 GMT', 60_000],
  ])('%j is a wait of %d milliseconds', (value, ms) => {
    expect(read(value)).toBe(ms)
  })

  it.each(['', ' ', '-1', '1.5', '1e3', 'soon', '2030-01-15T12:00:05Z', 'Foo, bar GMT'])(
    '%j asks for nothing',
    (value) => {
      expect(read(value)).toBeUndefined()
    },
  )

  it('is no wait when it is missing', () => {
    expect(retryAfterMs({}, NOW)).toBeUndefined()
  })

  it('is never a wait of less than nothing or more than the limit', () => {
    assert(
      property(string({ unit: 'binary' }), (value) => {
        const ms = read(value) ?? 0
        expect(ms >= 0 && ms <= MAX_RETRY_AFTER_MS).toBe(true)
      }),
    )
    assert(
      property(integer({ min: 0, max: 60 }), (seconds) => {
        expect(read(String(seconds))).toBe(seconds * 1_000)
        expect(read(new Date(NOW + seconds * 1_000).toUTCString())).toBe(seconds * 1_000)
      }),
    )
    assert(
      property(date({ noInvalidDate: true, min: new Date(0) }), (at) => {
        const ms = read(at.toUTCString()) ?? 0
        expect(ms >= 0 && ms <= MAX_RETRY_AFTER_MS).toBe(true)
      }),
    )
  })
})
