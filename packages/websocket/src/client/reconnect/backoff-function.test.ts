import { AttemptsExhaustedError, ConnectionError, type BusError } from '@bus/core'
import { MAX_TIMEOUT_MS } from '@bus/core/kit'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ReconnectBackoff } from '../options/options.ts'
import { resolveOptions } from '../options/resolve-options.ts'
import { RetryBudget } from './reconnect.ts'

const lost = new ConnectionError('lost')

/** Asks the function after failures in a row, or after a link that lasted. */
function setUp(backoff: ReconnectBackoff): {
  fail: (wasStable?: boolean) => BusError | undefined
  waitMs: () => number
  errors: unknown[]
} {
  const errors: unknown[] = []
  const options = resolveOptions({ url: 'ws://h/', reconnect: { backoff } })
  const budget = new RetryBudget(options, { misbehaved: (error) => errors.push(error) })
  return {
    fail: (wasStable = false) => budget.judge({ error: lost, info: undefined, wasStable }),
    waitMs: () => budget.delayMs(lost),
    errors,
  }
}

describe('a backoff function', () => {
  test('gets the number of the attempt and the failure, and begins at 1 after a link that lasted', () => {
    const seen: unknown[] = []
    const { fail } = setUp((attempt, random, error) => {
      seen.push([attempt, typeof random(), error])
      return 0
    })
    for (const wasStable of [false, false, true, false]) fail(wasStable)
    expect(seen).toEqual([1, 2, 1, 2].map((attempt) => [attempt, 'number', lost]))
  })

  test('that counts down a state of its own stops after as many calls', () => {
    fc.assert(
      fc.property(fc.nat(50), (retries) => {
        let left = retries
        const { fail, waitMs } = setUp(() => (left-- === 0 ? 'stop' : 1))
        for (let n = 0; n < retries; n++) {
          expect(fail()).toBeUndefined()
          expect(waitMs()).toBe(1)
        }
        expect(fail()).toBeInstanceOf(AttemptsExhaustedError)
      }),
    )
  })

  test('has its delay kept within what a timer can wait', () => {
    const waitOf = (delayMs: number): number => {
      const { fail, waitMs } = setUp(() => delayMs)
      fail()
      return waitMs()
    }
    expect([waitOf(-1), waitOf(Infinity), waitOf(1.5)]).toEqual([0, MAX_TIMEOUT_MS, 1.5])
  })

  test.each([[undefined], [{}], [NaN], ['5'], ['go on']])(
    'that returns %j is reported, and the default stands in',
    (said) => {
      const { fail, errors, waitMs } = setUp(() => said as number)
      expect(fail()).toBeUndefined()
      expect(String(errors[0])).toContain('Expected `reconnect.backoff` to return milliseconds')
      expect(waitMs()).toBeLessThanOrEqual(250)
    },
  )
})
