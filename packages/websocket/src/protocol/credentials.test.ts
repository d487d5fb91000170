import { describe, expect, test } from 'vitest'
import { askToken, renewalDelayMs, retryDelayMs, type AuthContext } from './credentials.ts'

const context: AuthContext = {
  reason: 'connect',
  now: 1_000,
  refusals: 0,
  signal: new AbortController().signal,
}

describe('a token', () => {
  test('is the text itself, or what the function gets, with its end if that is known', async () => {
    await expect(askToken('t', context)).resolves.toEqual({ token: 't', expiresAt: undefined })
    const seen: AuthContext[] = []
    const source = async (given: AuthContext) => {
      seen.push(given)
      return { token: 'fresh', expiresAt: 5_000 }
    }
    await expect(askToken(source, context)).resolves.toEqual({ token: 'fresh', expiresAt: 5_000 })
    expect(seen).toEqual([context])
  })

  test.each([undefined, null, '', { token: '' }, {}])(
    'that is missing (%j) is an AuthError',
    async (given) => {
      await expect(askToken(() => given as string, context)).rejects.toMatchObject({
        code: 'auth',
        retryable: false,
        message: 'There are no credentials: `token` gave nothing',
      })
    },
  )

  test('of another form is an AuthError that does not show it', async () => {
    const source = (): never => ({ token: { secret: 'canary' } }) as never
    await expect(askToken(source, context)).rejects.toMatchObject({
      code: 'auth',
      message: 'Expected `token` to give a string, got object',
    })
    const badEnd = (): never => ({ token: 'canary', expiresAt: '2026' }) as never
    await expect(askToken(badEnd, context)).rejects.toMatchObject({
      code: 'auth',
      message: 'Expected `expiresAt` of the token to be milliseconds since 1970',
    })
  })

  test('passes on what its source throws', async () => {
    const down = new Error('the issuer is down')
    await expect(askToken(() => Promise.reject(down), context)).rejects.toBe(down)
  })
})

describe('a renewal', () => {
  test.each([
    [3_600_000, 60_000, 3_540_000],
    [120_000, 60_000, 60_000],
    // Shorter than twice the threshold: at half of its life.
    [90_000, 60_000, 45_000],
    [60_000, 60_000, 30_000],
    [3_600_000, 0, 3_600_000],
    // Never without a pause.
    [100, 60_000, 1_000],
    [-5_000, 60_000, 1_000],
  ])('of what lives %i ms, %i ms before its end, is after %i ms', (left, before, delay) => {
    expect(renewalDelayMs(left, before)).toBe(delay)
  })

  test.each([
    [3_600_000, 60_000],
    [60_000, 15_000],
    [8_000, 2_000],
    [1_000, 1_000],
    [0, 1_000],
  ])('that failed with %i ms left is tried again after %i ms', (left, delay) => {
    expect(retryDelayMs(left)).toBe(delay)
  })
})
