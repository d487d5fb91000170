import { describe, expect, it } from 'vitest'
import { CLOSE_CODES, closeCode } from './close-codes.ts'

describe('the table of close codes', () => {
  it('contains each code once, in order, with a name and a whole sentence', () => {
    const codes = CLOSE_CODES.map((row) => row.code)
    expect(codes).toEqual([...new Set(codes)].toSorted((a, b) => a - b))
    for (const row of CLOSE_CODES) {
      expect(row.name).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(row.sentence).toMatch(/^[A-Z].*\.$/)
      expect(Object.isFrozen(row)).toBe(true)
      expect(closeCode(row.code)).toBe(row)
    }
  })

  it('says which codes are worth another connection', () => {
    const stops = CLOSE_CODES.filter((row) => !row.retryable).map((row) => row.code)
    expect(stops).toEqual([1008, 1010, 1015, 3000, 3003, 4400, 4403, 4410])
  })
})

describe('a code that is not in the table', () => {
  it.each([
    [999, true, 'This is not a close code.'],
    [1004, true, 'A code of the protocol that has no meaning yet.'],
    [2999, true, 'A code of the protocol that has no meaning yet.'],
    [3500, true, 'A code of a framework, not known here.'],
    [4000, false, 'A code of the application: something that this side did.'],
    [4499, false, 'A code of the application: something that this side did.'],
    [4500, true, 'A code of the application: something that befell the other side.'],
    [4999, true, 'A code of the application: something that befell the other side.'],
    [5000, true, 'This is not a close code.'],
    [Number.NaN, true, 'This is not a close code.'],
  ])('has a description (%d)', (code, retryable, sentence) => {
    expect(closeCode(code)).toEqual({ code, name: 'unknown', retryable, sentence })
  })
})
