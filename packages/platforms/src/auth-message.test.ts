import { describe, expect, test } from 'vitest'
import { parseFrame, readAuthAnswer, toFrame, withoutSecrets } from './auth-message.ts'

describe('an answer', () => {
  test('of success tells the end of the credentials by expires_at, in seconds since 1970', () => {
    expect(readAuthAnswer({ type: 'auth_success', expires_at: 1_800_000_000 })).toEqual({
      accepted: true,
      expiresAt: 1_800_000_000_000,
    })
  })

  test('of success tells how long they last by expires_in, in seconds', () => {
    expect(readAuthAnswer({ type: 'auth_success', expires_in: 900 })).toEqual({
      accepted: true,
      expiresInMs: 900_000,
    })
  })

  test('of success may carry a token', () => {
    expect(readAuthAnswer({ type: 'auth_success', token: 'issued' })).toEqual({
      accepted: true,
      token: 'issued',
    })
  })

  test.each([{ expires_in: '900' }, { expires_at: null }, { expires_in: {} }, { token: 7 }])(
    'of success ignores what is of another form: %j',
    (part) => {
      expect(readAuthAnswer({ type: 'auth_success', ...part })).toEqual({ accepted: true })
    },
  )

  test.each([
    [{ reason: 'expired' }, 'expired'],
    [{ message: 'no such key' }, 'no such key'],
    [{ reason: 'expired', message: 'other' }, 'expired'],
    [{}, ''],
    [{ reason: { code: 7 } }, ''],
  ])('of failure %j has the reason "%s"', (part, reason) => {
    expect(readAuthAnswer({ type: 'auth_error', ...part })).toEqual({ accepted: false, reason })
  })

  test.each([
    undefined,
    null,
    7,
    'auth_success',
    [],
    { type: 'trade' },
    { event_type: 'auth_success' },
  ])('that is about something else is none: %j', (message) => {
    expect(readAuthAnswer(message)).toBeUndefined()
  })
})

describe('a message', () => {
  test('is read from text and bytes, and from what is no JSON as nothing', () => {
    expect(parseFrame('{"a":1}')).toEqual({ a: 1 })
    expect(parseFrame(new TextEncoder().encode('{"a":1}'))).toEqual({ a: 1 })
    expect(parseFrame('{"a":')).toBeUndefined()
    expect(parseFrame(new Uint8Array([0xff, 0xfe]))).toBeUndefined()
  })

  test('is sent as it is when it is text or bytes, and else as JSON', () => {
    expect(toFrame('AUTH x')).toBe('AUTH x')
    const bytes = new Uint8Array([1])
    expect(toFrame(bytes)).toBe(bytes)
    expect(toFrame({ op: 'auth' })).toBe('{"op":"auth"}')
  })
})

test('a reason shows no secret that it repeats, fits a line, and is not endless', () => {
  const reason = `bad token s3cr3t/x (s3cr3t%2Fx)\nforged line ${'x'.repeat(500)}`
  const answer = withoutSecrets({ accepted: false, reason }, ['s3cr3t/x', ''])
  expect(answer).toEqual({
    accepted: false,
    reason: expect.stringMatching(/^bad token \[redacted\] \(\[redacted\]\)\uFFFDforged/) as string,
  })
  expect((answer as { reason: string }).reason.length).toBeLessThan(100)
  const accepted = { accepted: true, token: 's' } as const
  expect(withoutSecrets(accepted, ['s'])).toBe(accepted)
})
