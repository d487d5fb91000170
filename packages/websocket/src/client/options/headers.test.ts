import { ConfigError } from '@bus/core'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { assert, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkHeaders, isToken } from './endpoint.ts'

const accepts = (run: () => unknown): boolean => {
  try {
    run()
    return true
  } catch {
    return false
  }
}

function refusal(headers: unknown): ConfigError {
  try {
    checkHeaders(headers)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('accepted')
}

describe('headers', () => {
  it('are copied and frozen', () => {
    const given = { Authorization: 'Bearer t', 'x-empty': '', 'x-tab': 'a\tb', host: 'other' }
    const checked = checkHeaders(given)
    expect(checked).toEqual(given)
    expect(checked).not.toBe(given)
    expect(Object.isFrozen(checked)).toBe(true)
  })

  it('accept exactly the names and values that Node sends', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 8 }), (name) => {
        expect(isToken(name)).toBe(accepts(() => validateHeaderName(name)))
      }),
    )
    assert(
      property(string({ unit: 'binary', maxLength: 8 }), (value) => {
        expect(accepts(() => checkHeaders({ a: value }))).toBe(
          accepts(() => validateHeaderValue('a', value)),
        )
      }),
    )
  })

  it.each(['canary\n', 'canary\r\nX: y', 'canary\0', 'canary€'])(
    'refuse the value %j without showing it',
    (value) => {
      const error = refusal({ 'X-Plain': value })
      expect(error.path).toBe('headers.X-Plain')
      expect(String(error)).not.toContain('canary')
    },
  )

  it.each([1, null, undefined, ['a'], {}])('refuse the value %j, which is no string', (value) => {
    expect(() => checkHeaders({ a: value })).toThrow(/^Expected `headers\.a` to be a string, got /)
  })

  it.each(['', 'a b', 'a:b', 'a\n', 'ä'])('refuse the name %j', (name) => {
    expect(() => checkHeaders({ [name]: 'x' })).toThrow(
      'Expected `headers` to have valid HTTP names',
    )
  })

  it.each(['Connection', 'UPGRADE', 'Sec-WebSocket-Key', 'sec-websocket-version'])(
    'refuse %s, which the handshake sets itself',
    (name) => {
      expect(() => checkHeaders({ [name]: 'x' })).toThrow('sets')
    },
  )

  it('point to `protocols` for the header of subprotocols', () => {
    expect(() => checkHeaders({ 'Sec-WebSocket-Protocol': 'x' })).toThrow('use `protocols`')
  })

  it.each([new Headers({ a: 'b' }), new Map([['a', 'b']]), [['a', 'b']], 'a: b', null, undefined])(
    'refuse what is not a plain object, in which they would go missing (%s)',
    (headers) => {
      expect(() => checkHeaders(headers)).toThrow('Expected `headers` to be an object')
    },
  )
})
