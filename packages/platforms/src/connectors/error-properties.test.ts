import { describe, expect, test, vi } from 'vitest'
import type { Undeliverable } from '@bus/core'
import { resolveErrorPolicy } from '@bus/core/kit'
import type { Properties } from './properties.ts'
import { errorHandlingOf, errorParameters, type DeadLetterStreams } from './error-properties.ts'

/** The delays of a policy before each of the first few attempts. */
function delays(
  backoff: ((attempt: number, random: () => number) => number) | undefined,
): number[] {
  return [1, 2, 3, 4].map((attempt) => backoff?.(attempt, () => 0.5) ?? Number.NaN)
}

const policyOf = (properties: Properties, streams?: DeadLetterStreams) =>
  errorHandlingOf(properties, streams).errorPolicy

describe('error properties', () => {
  test('say drop and warn where there are none, and leave other keys alone', () => {
    expect(errorHandlingOf({ 'websocket.url': 'x' })).toEqual({
      errorPolicy: { strategy: 'drop' },
      logLevel: 'warn',
    })
  })

  test('are known in any case', () => {
    const handling = errorHandlingOf({ 'error.strategy': 'FAIL', 'error.log-level': 'Debug' })
    expect(handling).toMatchObject({ errorPolicy: { strategy: 'fail' }, logLevel: 'debug' })
  })

  test('retry: three times from 100 ms, doubling, at most 10 s, by default', () => {
    const { strategy, retry } = policyOf({ 'error.strategy': 'retry' })
    expect([strategy, retry?.attempts]).toEqual(['retry', 3])
    expect(delays(retry?.backoff)).toEqual([100, 200, 400, 800])
    expect(retry?.backoff?.(20, () => 0.5)).toBe(10_000)
  })

  test.each(['', '-ms'])('take delays under both of their names (%j)', (suffix) => {
    const { retry } = policyOf({
      'error.strategy': 'retry',
      'error.retry.max-attempts': '7',
      [`error.retry.initial-delay${suffix}`]: '50',
      [`error.retry.max-delay${suffix}`]: '1s',
      'error.retry.backoff-multiplier': '3',
    })
    expect(retry?.attempts).toBe(7)
    expect(delays(retry?.backoff)).toEqual([50, 150, 450, 1_000])
  })

  test('retry linearly, or with a fixed delay', () => {
    const given = { 'error.strategy': 'retry', 'error.retry.initial-delay': '1s' }
    const linear = policyOf({ ...given, 'error.retry.backoff': 'linear' })
    expect(delays(linear.retry?.backoff)).toEqual([1_000, 2_000, 3_000, 4_000])
    const fixed = policyOf({ ...given, 'error.retry.backoff': 'fixed' })
    expect(delays(fixed.retry?.backoff)).toEqual([1_000, 1_000, 1_000, 1_000])
  })

  test('retry first, whatever the strategy, where they say how', () => {
    const { strategy, retry } = policyOf({
      'error.strategy': 'fail',
      'error.retry.max-attempts': '2',
    })
    expect([strategy, retry?.attempts]).toEqual(['fail', 2])
  })

  test('dlq: lead to the stream that they name', async () => {
    const take = vi.fn<(letter: Undeliverable) => void>()
    const streams = { Orders: take, Other: () => {} }
    const { strategy, deadLetter } = policyOf(
      { 'error.strategy': 'dlq', 'error.dlq.stream': 'Orders' },
      streams,
    )
    expect([strategy, deadLetter?.fallback]).toEqual(['dlq', 'log'])
    expect(deadLetter?.deliver).toBe(take)
  })

  test('dlq: without streams lead to the dead letters of the bus', () => {
    const { deadLetter } = policyOf({ 'error.strategy': 'dlq', 'error.dlq.stream': 'Orders' })
    expect(deadLetter).toEqual({ fallback: 'log' })
  })

  test('dlq: may deliver again', () => {
    const { deadLetter } = policyOf({
      'error.strategy': 'retry',
      'error.dlq.stream': 'Orders',
      'error.dlq.fallback-strategy': 'retry',
      'error.dlq.fallback-retry.max-attempts': '5',
      'error.dlq.fallback-retry.initial-delay': '200ms',
    })
    expect([deadLetter?.fallback, deadLetter?.retry?.attempts]).toEqual(['retry', 5])
    expect(delays(deadLetter?.retry?.backoff)).toEqual([200, 400, 800, 1_600])
  })

  test('are policies that a subscription takes', () => {
    const policy = policyOf({ 'error.strategy': 'retry', 'error.retry.max-attempts': '2' })
    expect(resolveErrorPolicy(policy)).toMatchObject({ strategy: 'retry', attempts: 2 })
  })

  test('may have equal delays, the first and the largest', () => {
    const equal = { 'error.retry.initial-delay': '1s', 'error.retry.max-delay': '1s' }
    expect(delays(policyOf({ 'error.strategy': 'retry', ...equal }).retry?.backoff)).toEqual([
      1_000, 1_000, 1_000, 1_000,
    ])
  })
})

const dlq = { 'error.strategy': 'dlq', 'error.dlq.stream': 'S' }
const retry = { 'error.strategy': 'retry' }

describe('error properties that are refused', () => {
  test.each<[Properties, string, string]>([
    [{ 'error.strategy': 'panic' }, 'error.strategy', 'panic'],
    [{ 'error.log-level': 'loud' }, 'error.log-level', 'loud'],
    [{ ...retry, 'error.retry.max-attempts': '0' }, 'error.retry.max-attempts', '0'],
    [{ ...retry, 'error.retry.max-attempts': 'many' }, 'error.retry.max-attempts', 'many'],
    [{ ...retry, 'error.retry.backoff': 'random' }, 'error.retry.backoff', 'random'],
    [{ ...retry, 'error.retry.initial-delay': 'soon' }, 'error.retry.initial-delay', 'soon'],
    [{ ...retry, 'error.retry.max-delay': '50ms' }, 'error.retry.max-delay', '50'],
    [
      { ...retry, 'error.retry.backoff-multiplier': '0.5' },
      'error.retry.backoff-multiplier',
      '0.5',
    ],
    [{ ...dlq, 'error.dlq.fallback-strategy': 'cry' }, 'error.dlq.fallback-strategy', 'cry'],
    [{ 'error.strategy': 'dlq' }, 'error.dlq.stream', 'to be given'],
    [{ 'error.strategy': 'dlq', 'error.dlq.stream': '' }, 'error.dlq.stream', 'not to be empty'],
    [
      { ...dlq, 'error.dlq.fallback-strategy': 'retry' },
      'error.dlq.fallback-retry.max-attempts',
      'to be given',
    ],
  ])('%j', (properties, path, shown) => {
    expect(() => errorHandlingOf(properties)).toThrow(
      expect.objectContaining({ path, message: expect.stringContaining(shown) as string }),
    )
  })

  test.each<[Properties, string]>([
    [{ 'error.dlq.stream': 'S' }, 'only with `error.strategy` dlq or retry'],
    [{ ...retry, 'error.dlq.fallback-strategy': 'log' }, 'only with `error.dlq.stream`'],
    [
      { ...dlq, 'error.dlq.fallback-retry.max-attempts': '1' },
      'only with `error.dlq.fallback-strategy` retry',
    ],
    [
      { ...retry, 'error.retry.backoff': 'fixed', 'error.retry.max-delay': '1s' },
      'only with `error.retry.backoff` that grows',
    ],
    [
      { ...retry, 'error.retry.backoff': 'linear', 'error.retry.backoff-multiplier': '2' },
      'only with `error.retry.backoff` exponential',
    ],
    [
      { ...retry, 'error.retry.initial-delay': '1', 'error.retry.initial-delay-ms': '1' },
      'only one of',
    ],
  ])('because they would change nothing, or twice the same: %j', (properties, message) => {
    expect(() => errorHandlingOf(properties)).toThrow(message)
  })

  test('because the stream is none of those that are there', () => {
    expect(() => errorHandlingOf(dlq, { Orders: () => {} })).toThrow(
      'Expected `error.dlq.stream` to be one of the streams that are there (Orders), got `S`',
    )
  })

  test('are all in the list of the parameters', () => {
    for (const key of Object.keys({ ...dlq, ...retry })) expect(errorParameters).toContain(key)
    expect(new Set(errorParameters).size).toBe(errorParameters.length)
  })
})
