/** Texts made to break whoever reads them, given to `bus doctor` as errors. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { explain } from '../src/doctor/explain.ts'
import { readError } from '../src/doctor/read-error.ts'

/** Far more than is read. A text that is read in the square of its length takes minutes. */
const LENGTH = 2_000_000
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/u

const PIECES = ['a', 'A', 'A_', 'ab ', ' ', 'Error', 'AError', 'status ', 'code: ', 'code: "', '4']
const BRACKETS = ['{', '[', '{"cause":', '{"a":[', '"', '\\', '://', 'a://', '%', '\u202e', '\n']

describe('an error that others wrote', () => {
  test.each([...PIECES, ...BRACKETS])(
    'is explained whatever it repeats: %j [F156]',
    (piece) => {
      const text = piece.repeat(LENGTH / piece.length)
      for (const input of [text, `{${text}`, `${text}!`, `a${text}\u0000`]) {
        const { message } = explain(readError(input))
        expect(message.length).toBeLessThan(200)
        expect(message).not.toMatch(UNPRINTABLE)
      }
    },
    // What is linear takes seconds at most.
    600_000,
  )

  test('cannot name what every object has', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
      const text = `{"code":"${name}","message":"odd","${name}":{"code":"config"}}`
      expect(explain(readError(text)).message).toBe('odd')
      expect(explain(readError(`${name}Error: code: '${name}'`)).docsUrl).toMatch(/#errors$/)
    }
    expect(({} as { code?: unknown }).code).toBeUndefined()
  })

  test('shows no control characters and no secrets of URLs', () => {
    const hostile = 'a\u001B[2J\u0007\u202E wss://me:canary@host/?token=canary'
    for (const text of [hostile, JSON.stringify({ message: hostile })]) {
      const { message } = explain(readError(text))
      expect(message).not.toMatch(UNPRINTABLE)
      expect(message).not.toContain('canary')
    }
  })

  test('is explained whatever it is, as text and as JSON', () => {
    const names = fc.constantFrom('code', 'status', 'closeCode', 'cause', 'error', 'message')
    const value = fc.letrec((tie) => ({
      node: fc.oneof(fc.jsonValue(), fc.dictionary(names, tie('node'), { maxKeys: 4 })),
    })).node
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          value.map((it) => JSON.stringify(it)),
        ),
        (text) => {
          const { message, suggestion } = explain(readError(text))
          expect(message).not.toBe('')
          expect(suggestion).not.toBe('')
        },
      ),
    )
  })
})
