import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { AuthContext } from '@bus/websocket'
import { tokenAuth, type TokenAuthOptions } from './token-auth.ts'

const context: AuthContext = {
  reason: 'connect',
  now: 1_700_000_000_999,
  refusals: 0,
  signal: new AbortController().signal,
}

async function shownBy(options: TokenAuthOptions): Promise<unknown> {
  return JSON.parse(String(await tokenAuth(options).credentials(context)))
}

describe('authentication by token', () => {
  test('shows the token with the time in whole seconds', async () => {
    expect(await shownBy({ token: 't1' })).toEqual({
      type: 'auth',
      timestamp: 1_700_000_000,
      token: 't1',
    })
  })

  test('asks a function for it each time, and knows its end', async () => {
    let n = 0
    const auth = tokenAuth({ token: () => ({ token: `t${++n}`, expiresAt: n * 1_000 }) })
    expect(String(await auth.credentials(context))).toContain('"t1"')
    expect(auth.expiresAt?.()).toBe(1_000)
    expect(String(await auth.credentials(context))).toContain('"t2"')
    expect(auth.expiresAt?.()).toBe(2_000)
  })

  test('writes the message that it was given a function for', async () => {
    const message = (token: string, { reason }: AuthContext): unknown => ({
      op: 'login',
      args: [token, reason],
    })
    expect(await shownBy({ token: 't1', message })).toEqual({
      op: 'login',
      args: ['t1', 'connect'],
    })
    const text = tokenAuth({ token: 't1', message: (token) => `LOGIN ${token}` })
    expect(await text.credentials(context)).toBe('LOGIN t1')
  })

  test('reads the answer as it was told to', () => {
    const auth = tokenAuth({
      token: 't1',
      read: (message) => (message === 'ok' ? { accepted: true } : undefined),
    })
    expect(auth.onResponse?.('"ok"')).toEqual({ accepted: true })
    expect(auth.onResponse?.('{"type":"auth_success"}')).toBeUndefined()
    expect('onResponse' in tokenAuth({ token: 't1', read: false })).toBe(false)
  })

  test('shows a token that the server gave from then on, and its own again once that was refused', async () => {
    const auth = tokenAuth({ token: 'own' })
    await auth.credentials(context)
    expect(auth.isFixed).toBe(true)
    expect(auth.onResponse?.('{"type":"auth_success","token":"issued"}')).toMatchObject({
      token: 'issued',
    })
    expect(String(await auth.credentials(context))).toContain('"issued"')
    expect(auth.isFixed).toBe(false)
    auth.onResponse?.('{"type":"auth_success"}')
    expect(String(await auth.credentials(context))).toContain('"issued"')
    auth.onResponse?.('{"type":"auth_error"}')
    expect(String(await auth.credentials(context))).toContain('"own"')
    expect(auth.isFixed).toBe(true)
  })

  test('prefers what a function gets to a token that the server gave', async () => {
    const auth = tokenAuth({ token: () => 'own' })
    await auth.credentials(context)
    auth.onResponse?.('{"type":"auth_success","token":"issued"}')
    expect(String(await auth.credentials(context))).toContain('"own"')
    expect(auth.isFixed).toBe(false)
  })

  test('carries its policy', () => {
    const onState = (): void => {}
    const auth = tokenAuth({ token: 't1', renewBeforeMs: 5, timeoutMs: 6, onState })
    expect(auth).toMatchObject({ renewBeforeMs: 5, timeoutMs: 6, onState })
    expect('timeoutMs' in tokenAuth({ token: 't1' })).toBe(false)
  })

  test.each([{}, { token: '' }, { token: undefined }, { token: null }, { token: 7 }])(
    'without a token that could be one is a ConfigError: %j',
    (options) => {
      expect(() => tokenAuth(options as TokenAuthOptions)).toThrow(
        expect.objectContaining({ code: 'config', path: 'token' }) as Error,
      )
    },
  )

  test.each([
    [{ token: 'canary', read: true }, 'read'],
    [{ token: 'canary', message: 'canary' }, 'message'],
    [{ token: 'canary', renewBeforeMs: -1 }, 'renewBeforeMs'],
    [{ token: 'canary', timeoutMs: 0 }, 'timeoutMs'],
    [{ token: 'canary', tokn: 1 }, 'tokn'],
  ])('refuses a bad option, naming it: %j', (options, path) => {
    expect(() => tokenAuth(options as TokenAuthOptions)).toThrow(
      expect.objectContaining({ code: 'config', path }) as Error,
    )
  })

  test('shows the token in no print and in no reason', async () => {
    const auth = tokenAuth({ token: 'canary-1' })
    await auth.credentials(context)
    const answer = auth.onResponse?.('{"type":"auth_error","reason":"canary-1 is unknown"}')
    expect(answer).toEqual({ accepted: false, reason: '[redacted] is unknown' })
    expect(inspect(auth, { showHidden: true, depth: 9 }) + JSON.stringify(auth)).not.toContain(
      'canary',
    )
    const wrong = (): unknown => tokenAuth({ token: ['canary-1'] as unknown as string })
    expect(wrong).toThrow(expect.not.stringContaining('canary') as Error)
  })
})
