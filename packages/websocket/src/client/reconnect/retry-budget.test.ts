import { ConnectionError, HandshakeError, type BusError } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { assert, constantFrom, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../../test/fake-clock.ts'
import type { ReconnectOptions } from '../options/options.ts'
import { resolveOptions } from '../options/resolve-options.ts'
import { RetryBudget, type AttemptFailure } from './reconnect.ts'

const lost = new ConnectionError('lost')
const failure = (error: BusError = lost, wasStable = false): AttemptFailure => ({
  error,
  info: undefined,
  wasStable,
})
const refused = (status: number, retryAfterMs?: number): HandshakeError =>
  new HandshakeError({
    status,
    headers: {},
    body: '',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })

function budgetOf(
  reconnect: ReconnectOptions | false = {},
  more: { readonly headers?: () => Record<string, string>; readonly clock?: FakeClock } = {},
): RetryBudget {
  const { clock = systemClock, headers = {} } = more
  const options = resolveOptions({ url: 'ws://h/', reconnect, headers, clock, random: () => 1 })
  return new RetryBudget(options, { misbehaved: () => {} })
}

describe('the retry budget', () => {
  test('permits n attempts after the first failure', () => {
    for (const maxAttempts of [0, 1, 5]) {
      const budget = budgetOf({ maxAttempts })
      const verdicts = Array.from({ length: maxAttempts + 1 }, () => budget.judge(failure())?.code)
      expect(verdicts.slice(0, -1)).toEqual(Array.from({ length: maxAttempts }, () => undefined))
      expect(verdicts.at(-1)).toBe('attempts-exhausted')
    }
  })

  test('never runs out without a limit', () => {
    const budget = budgetOf()
    for (let n = 0; n < 10_000; n++) expect(budget.judge(failure())).toBeUndefined()
    expect(budget.delayMs(lost)).toBe(5_000)
  })

  test('counts from one again after a link that was stable', () => {
    const budget = budgetOf()
    for (let n = 0; n < 3; n++) budget.judge(failure())
    expect(budget.failures).toBe(3)
    budget.judge(failure(lost, true))
    expect(budget.failures).toBe(1)
  })

  test('permits one more attempt to headers that are made anew, after each link', () => {
    const budget = budgetOf({}, { headers: () => ({}) })
    for (let link = 0; link < 2; link++) {
      expect(budget.judge(failure(refused(401)))).toBeUndefined()
      budget.accepted()
    }
    expect(budget.judge(failure(refused(401)))).toBeUndefined()
    expect(budget.judge(failure(refused(401)))).toMatchObject({ code: 'auth' })
    expect(budgetOf().judge(failure(refused(401)))).toMatchObject({ code: 'auth' })
  })

  test('is spent when the time without a link is over', () => {
    const clock = new FakeClock()
    const budget = budgetOf({ giveUpAfterMs: 1_000 }, { clock })
    clock.advance(999)
    expect(budget.judge(failure())).toBeUndefined()
    expect(budget.leftMs).toBe(1)
    clock.advance(1)
    expect(budget.judge(failure())).toMatchObject({ code: 'attempts-exhausted', cause: lost })
    budget.down()
    expect(budget.leftMs).toBe(1_000)
  })

  test('adds the backoff to what the server requires, so that clients do not come back at once', () => {
    const budget = budgetOf({ backoff: () => 7 })
    budget.judge(failure(refused(503, 2_000)))
    expect(budget.delayMs(refused(503, 2_000))).toBe(2_007)
    expect(budget.delayMs(lost)).toBe(7)
  })

  test('never answers with a delay that is no delay, whatever the policy says', () => {
    const sayings = constantFrom(NaN, -1, Infinity, -Infinity, 2 ** 40, 0, 5, '7', undefined)
    assert(
      property(sayings, integer({ min: 0, max: 10_000 }), (said, failures) => {
        const budget = budgetOf({ backoff: () => said as number })
        for (let n = 0; n < Math.min(failures, 20); n++) budget.judge(failure())
        const delay = budget.delayMs(lost)
        expect(delay).toBeGreaterThanOrEqual(0)
        expect(delay).toBeLessThanOrEqual(2 ** 31 - 1)
      }),
    )
  })

  test('is nothing at all without reconnecting', () => {
    const budget = budgetOf(false)
    expect(budget.judge(failure())).toBe(lost)
    expect(budget.delayMs(lost)).toBe(0)
    expect(budget.leftMs).toBe(Infinity)
  })
})
