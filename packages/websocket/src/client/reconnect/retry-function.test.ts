import { ConnectionError } from '@bus/core'
import { MAX_TIMEOUT_MS } from '@bus/core/kit'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RetryDecision } from '../options/options.ts'
import { RetryFunction } from './reconnect.ts'

const lost = new ConnectionError('lost')

test('gives back to each call what the call before returned, whatever it holds', () => {
  const seen: unknown[] = []
  const state = { retriesLeft: 2, factor: 3, of: 'the caller' }
  const retry = new RetryFunction({
    retryState: state,
    retry: (given: typeof state, error) => {
      seen.push(given, error)
      return { delayMs: 10, state: { ...given, retriesLeft: given.retriesLeft - 1 } }
    },
  })
  expect([retry.decide(lost), retry.decide(lost)]).toEqual([10, 10])
  expect(seen).toEqual([state, lost, { ...state, retriesLeft: 1 }, lost])
  expect(state.retriesLeft).toBe(2)
})

test('a state that counts down reaches zero after as many calls, and keeps all else that it holds', () => {
  const others = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }))
  fc.assert(
    fc.property(fc.nat(50), others, (retries, rest) => {
      const start = { ...rest, retriesLeft: retries }
      const lefts: number[] = []
      const retry = new RetryFunction({
        retryState: start,
        retry: (state: typeof start) => {
          lefts.push(state.retriesLeft)
          expect({ ...state, retriesLeft: retries }).toEqual(start)
          if (state.retriesLeft === 0) return 'stop'
          return { delayMs: 1, state: { ...state, retriesLeft: state.retriesLeft - 1 } }
        },
      })
      for (let n = 0; n < retries; n++) expect(retry.decide(lost)).toBe(1)
      expect(retry.decide(lost)).toBe('stop')
      expect(lefts).toEqual(Array.from({ length: retries + 1 }, (_, n) => retries - n))
    }),
  )
})

test('begins again with the first state after a reset, and keeps one that is left out', () => {
  const seen: unknown[] = []
  const retry = new RetryFunction({
    retryState: 1,
    retry: (state: number) => {
      seen.push(state)
      return state === 1 ? { delayMs: 0, state: 2 } : { delayMs: 0 }
    },
  })
  for (let n = 0; n < 3; n++) retry.decide(lost)
  retry.reset()
  retry.decide(lost)
  expect(seen).toEqual([1, 2, 2, 1])
})

test('can stop, and says nothing where there is no function', () => {
  expect(new RetryFunction({ retry: () => 'stop' }).decide(lost)).toBe('stop')
  expect(new RetryFunction({}).decide(lost)).toBeUndefined()
})

test('keeps a delay within what a timer can wait', () => {
  const decide = (delayMs: number): unknown =>
    new RetryFunction({ retry: () => ({ delayMs }) }).decide(lost)
  expect([decide(-1), decide(Infinity), decide(1.5)]).toEqual([0, MAX_TIMEOUT_MS, 1.5])
})

test.each([[undefined], [{}], [{ delayMs: NaN }], [{ delayMs: '5' }], ['go on']])(
  'takes %j for a mistake',
  (decision) => {
    const retry = new RetryFunction({ retry: () => decision as RetryDecision })
    expect(() => retry.decide(lost)).toThrow('Expected `reconnect.retry` to return')
  },
)
