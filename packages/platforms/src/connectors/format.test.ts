import { describe, expect, test } from 'vitest'
import { FORMATS, readAs, textOf } from './format.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('the format guard', () => {
  test('knows three formats', () => {
    expect(FORMATS).toEqual(['json', 'text', 'bytes'])
  })

  test('reads nothing into bytes', () => {
    expect(readAs('bytes', new Uint8Array([0xff]))).toEqual({ text: undefined, value: undefined })
  })

  test('reads text from UTF-8, and refuses anything else', () => {
    expect(readAs('text', bytes('𝒳 ä'))).toEqual({ text: '𝒳 ä', value: undefined })
    expect(() => readAs('text', new Uint8Array([0xc3, 0x28]))).toThrow('not valid UTF-8')
  })

  test('reads a value from JSON, with its text, and refuses anything else', () => {
    expect(readAs('json', bytes('[null]'))).toEqual({ text: '[null]', value: [null] })
    for (const wrong of ['', '{', 'undefined']) {
      expect(() => readAs('json', bytes(wrong))).toThrow(SyntaxError)
    }
    expect(() => readAs('json', new Uint8Array([0xff]))).toThrow('not valid UTF-8')
  })

  test('reads a part of a larger buffer as that part alone', () => {
    expect(textOf(bytes('abcdef').subarray(2, 4))).toBe('cd')
  })
})
