import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { REDACTED, redacted } from './redact.ts'

class Clock {
  readonly canary = 'canary'
}

describe('a view of options', () => {
  test('shows no header value, and without headers no marker', () => {
    const headers = { 'X-Tenant': 'canary-1', Authorization: 'Bearer canary-2' }
    expect(redacted({ headers })).toEqual({
      headers: { 'X-Tenant': REDACTED, Authorization: REDACTED },
    })
    expect(redacted({ headers: {} })).toEqual({ headers: {} })
    expect(redacted({ headers: undefined, url: 'wss://host/a' })).toEqual({ url: 'wss://host/a' })
    expect(redacted({ options: { defaultHeaders: { a: 'canary' } } })).toEqual({
      options: { defaultHeaders: { a: REDACTED } },
    })
  })

  test('hides headers whole where their form does not separate names from values', () => {
    const view = redacted({ headers: new Map([['a', 'canary']]), header: [['canary', 'canary']] })
    expect(inspect(view, { depth: 9 })).not.toContain('canary')
  })

  test('no canary shows, wherever it stands', () => {
    const view = redacted({
      url: 'wss://me:canary@host/path?room=canary',
      link: new URL('wss://me:canary@host/path'),
      tls: {
        key: 'canary',
        pfx: [Buffer.from('canary')],
        passphrase: 'canary',
        ca: Buffer.from('c'),
      },
      auth: { user: 'canary', list: ['canary'] },
      list: [{ password: 'canary' }, 'Bearer canary'],
      clock: new Clock(),
      bytes: new TextEncoder().encode('canary'),
      make: () => 'canary',
    })
    for (const text of [inspect(view, { depth: 9 }), JSON.stringify(view)]) {
      expect(text).not.toContain('canary')
      expect(text).not.toContain('99, 97, 110')
    }
    expect(view).toMatchObject({
      url: `wss://${REDACTED}@host/path?room=${REDACTED}`,
      tls: { key: REDACTED, pfx: REDACTED, ca: '[1 bytes]' },
      clock: '[Clock]',
      make: '[function]',
    })
  })

  test('keeps what is not secret, with absent and switched-off things as they are', () => {
    const value = {
      capacity: Infinity,
      reconnect: false,
      auth: false,
      token: undefined,
      list: [1, 2n],
    }
    expect(redacted(value)).toEqual({ ...value, list: [1, '2'] })
  })

  test('cuts a cycle, keeps what is only shared, and leaves the original alone', () => {
    const shared = { a: 1 }
    const value: Record<string, unknown> = { x: shared, y: shared, headers: { a: 'canary' } }
    value['self'] = value
    expect(redacted(value)).toMatchObject({ x: shared, y: shared, self: '[circular]' })
    expect(value['headers']).toEqual({ a: 'canary' })
  })

  test('a member named __proto__ stays a member', () => {
    const view = redacted(JSON.parse('{"__proto__":{"a":1}}') as object)
    expect(Object.getPrototypeOf(view)).toBe(Object.prototype)
  })
})
