import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOT_A_NUMBER, isWireNumber, parseNumber, readNumber } from './fields.ts'

const both = (text: string): number[] => {
  const around = `x ${text} y`
  const bytes = Buffer.from(around)
  const from = 2
  return [
    parseNumber(around, from, from + text.length),
    readNumber(bytes, from, from + Buffer.byteLength(text)),
  ]
}

describe('a number of a line', () => {
  it('is read alike from text and from bytes, up to 2^53 − 1', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        expect(both(String(n))).toEqual([n, n])
      }),
    )
    expect(both(String(Number.MAX_SAFE_INTEGER))).toEqual(Array(2).fill(Number.MAX_SAFE_INTEGER))
  })

  it('is nothing but digits without a leading zero', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (text) => {
        const isNumber = /^(0|[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(Number(text))
        const expected = isNumber ? Number(text) : NOT_A_NUMBER
        expect(both(text)).toEqual([expected, expected])
      }),
    )
    for (const text of ['', '-0', '+1', '00', '1e3', '0x1', '9007199254740992', '١', '1 ']) {
      expect(both(text)).toEqual([NOT_A_NUMBER, NOT_A_NUMBER])
    }
  })

  it('may stand in JSON under the same rules', () => {
    for (const n of [0, 1, Number.MAX_SAFE_INTEGER]) expect(isWireNumber(n)).toBe(true)
    for (const n of [-0, -1, 0.5, 2 ** 53, NaN, Infinity, '1', null, undefined, [1]]) {
      expect(isWireNumber(n)).toBe(false)
    }
  })
})
