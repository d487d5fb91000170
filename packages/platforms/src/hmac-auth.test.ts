import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { AuthContext } from '@bus/websocket'
import { hmacAuth, type HmacAuthOptions } from './hmac-auth.ts'

const context: AuthContext = {
  reason: 'connect',
  now: 1_700_000_000_999,
  refusals: 0,
  signal: new AbortController().signal,
}
const keys = { key: 'my-key', secret: 'my-secret' }

async function shownBy(options: HmacAuthOptions): Promise<Record<string, unknown>> {
  return JSON.parse(String(await hmacAuth(options).credentials(context))) as never
}

describe('authentication by signature', () => {
  test('signs the key and the seconds, one behind the other, with SHA-256 in hexadecimal', async () => {
    const signature = createHmac('sha256', 'my-secret').update('my-key1700000000').digest('hex')
    expect(await shownBy(keys)).toEqual({
      type: 'auth',
      timestamp: 1_700_000_000,
      api_key: 'my-key',
      signature,
    })
  })

  // RFC 4231, test case 2.
  test.each([
    ['sha256', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    [
      'sha384',
      'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
    ],
    [
      'sha512',
      '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
    ],
  ] as const)('agrees with the known answer of %s', async (algorithm, signature) => {
    const stringToSign = (): string => 'what do ya want for nothing?'
    const shown = await shownBy({ key: 'k', secret: 'Jefe', algorithm, stringToSign })
    expect(shown['signature']).toBe(signature)
  })

  test('takes the secret as bytes, and writes Base64', async () => {
    const secret = new TextEncoder().encode('Jefe')
    const stringToSign = (): string => 'what do ya want for nothing?'
    const shown = await shownBy({ key: 'k', secret, encoding: 'base64', stringToSign })
    expect(shown['signature']).toBe('W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=')
  })

  test('signs and writes what it was given functions for, from the same parts', async () => {
    const shown = await shownBy({
      ...keys,
      nonce: () => 'n1',
      stringToSign: ({ timestamp, nonce }) => `${timestamp}\n${nonce}\n`,
      message: (signed) => ({ id: 'auth', ...signed }),
    })
    const signed = `1700000000999\nn1\n`
    expect(shown).toEqual({
      id: 'auth',
      key: 'my-key',
      timestamp: 1_700_000_000_999,
      seconds: 1_700_000_000,
      nonce: 'n1',
      signature: createHmac('sha256', 'my-secret').update(signed).digest('hex'),
    })
  })

  test('never uses a nonce twice', () => {
    const auth = hmacAuth({ ...keys, message: ({ nonce }) => nonce })
    const nonces = Array.from({ length: 100 }, () => auth.credentials(context))
    expect(new Set(nonces).size).toBe(100)
  })

  test('reads the answer as it was told to', () => {
    expect(hmacAuth(keys).onResponse?.('{"type":"auth_success","expires_in":1}')).toEqual({
      accepted: true,
      expiresInMs: 1_000,
    })
    const read = (): { accepted: true } => ({ accepted: true })
    expect(hmacAuth({ ...keys, read }).onResponse?.('anything')).toEqual({ accepted: true })
    expect('onResponse' in hmacAuth({ ...keys, read: false })).toBe(false)
    expect(hmacAuth(keys).onResponse?.('{"type":"tick"}')).toBeUndefined()
  })

  test.each([
    [{ secret: 's' }, 'key'],
    [{ key: '', secret: 's' }, 'key'],
    [{ key: 'k' }, 'secret'],
    [{ key: 'k', secret: '' }, 'secret'],
    [{ key: 'k', secret: new Uint8Array() }, 'secret'],
    [{ key: 'k', secret: 7 }, 'secret'],
    [{ ...keys, algorithm: 'md5' }, 'algorithm'],
    [{ ...keys, encoding: 'utf8' }, 'encoding'],
    [{ ...keys, nonce: 'n' }, 'nonce'],
    [{ ...keys, renewBeforeMs: Number.NaN }, 'renewBeforeMs'],
  ])(
    'with missing or bad credentials or options is a ConfigError that names it: %j',
    (options, path) => {
      expect(() => hmacAuth(options as HmacAuthOptions)).toThrow(
        expect.objectContaining({ code: 'config', path }) as Error,
      )
    },
  )

  test('shows secret and signature in no print and in no reason', async () => {
    const auth = hmacAuth(keys)
    const { signature } = JSON.parse(String(await auth.credentials(context))) as {
      signature: string
    }
    const reason = `my-secret does not make ${signature} for my-key`
    expect(auth.onResponse?.(JSON.stringify({ type: 'auth_error', reason }))).toEqual({
      accepted: false,
      reason: '[redacted] does not make [redacted] for [redacted]',
    })
    expect(inspect(auth, { showHidden: true, depth: 9 })).not.toContain('my-secret')
    expect(() => hmacAuth({ key: 'k', secret: ['my-secret'] as unknown as string })).toThrow(
      expect.not.stringContaining('my-secret') as Error,
    )
  })
})
