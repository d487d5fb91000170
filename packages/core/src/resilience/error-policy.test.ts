import { describe, expect, test } from 'vitest'
import { ConfigError, HandlerError, ValidationError } from '../contract/errors.ts'
import type { ErrorPolicy } from '../contract/subscriber.ts'
import { backoff } from './backoff.ts'
import { nextStep, resolveErrorPolicy, type NextStep } from './error-policy.ts'

const half = (): number => 0.5

/** The steps of an event that fails each time, until one is not another try. */
function stepsOf(
  policy: ErrorPolicy | undefined,
  options: { error?: unknown; hasDeadLetters?: boolean } = {},
): readonly NextStep[] {
  const resolved = resolveErrorPolicy(policy)
  const steps: NextStep[] = []
  for (let attempt = 1; attempt <= 50; attempt++) {
    const { error = new Error('no'), hasDeadLetters = true } = options
    const step = nextStep(resolved, { attempt, error, hasDeadLetters }, half)
    steps.push(step)
    if (step.action !== 'retry') break
  }
  return steps
}

const fixed = { attempts: 3, backoff: backoff.constant({ delayMs: 7 }) }
const again: NextStep = { action: 'retry', delayMs: 7 }

describe('what a failed handling leads to', () => {
  test('drop goes on at once', () => {
    expect(stepsOf({ strategy: 'drop' })).toEqual([{ action: 'drop' }])
  })

  test('fail stops at once', () => {
    expect(stepsOf({ strategy: 'fail' })).toEqual([{ action: 'fail' }])
  })

  test('dlq stores it at once, and is the strategy where none is given', () => {
    expect(stepsOf({ strategy: 'dlq' })).toEqual([{ action: 'dlq' }])
    expect(stepsOf({})).toEqual([{ action: 'dlq' }])
    expect(stepsOf(undefined)).toEqual([{ action: 'dlq' }])
  })

  test('dlq without a queue of dead letters is drop', () => {
    expect(stepsOf({ strategy: 'dlq' }, { hasDeadLetters: false })).toEqual([{ action: 'drop' }])
  })

  test('retry tries as often as it says, after the delays of its policy, then the dead letters get it', () => {
    const growing = backoff.linear({ initialMs: 10, maxMs: 1_000 })
    const policy: ErrorPolicy = { strategy: 'retry', retry: { attempts: 4, backoff: growing } }
    expect(stepsOf(policy)).toEqual([
      { action: 'retry', delayMs: 10 },
      { action: 'retry', delayMs: 20 },
      { action: 'retry', delayMs: 30 },
      { action: 'dlq' },
    ])
    expect(stepsOf(policy, { hasDeadLetters: false }).at(-1)).toEqual({ action: 'drop' })
  })

  test.each(['drop', 'dlq', 'fail'] as const)('tries come before %s', (strategy) => {
    expect(stepsOf({ strategy, retry: fixed })).toEqual([again, again, { action: strategy }])
  })

  test('an error that trying again cannot help goes to the next step at once', () => {
    const error = new ValidationError('order.created', [])
    expect(stepsOf({ strategy: 'retry', retry: fixed }, { error })).toEqual([{ action: 'dlq' }])
    expect(stepsOf({ strategy: 'fail', retry: fixed }, { error })).toEqual([{ action: 'fail' }])
  })

  test.each([
    ['a transient error', new HandlerError('no')],
    ['undefined', undefined],
    ['null', null],
    ['a string', 'no'],
    ['an error of another library', Object.assign(new Error('no'), { retryable: undefined })],
  ])('%s is tried again', (_name, error) => {
    const resolved = resolveErrorPolicy({ retry: fixed })
    expect(nextStep(resolved, { attempt: 1, error, hasDeadLetters: true }, half)).toEqual(again)
  })

  test('zero tries are none, and without a limit they never end', () => {
    expect(stepsOf({ retry: { attempts: 1 } })).toEqual([{ action: 'dlq' }])
    expect(stepsOf({ retry: { attempts: Infinity } }).every((s) => s.action === 'retry')).toBe(true)
  })

  test('retry without figures tries three times more: from 100 ms, doubling, at most 10 s, drawn from the whole', () => {
    expect(stepsOf({ strategy: 'retry' })).toEqual([
      { action: 'retry', delayMs: 50 },
      { action: 'retry', delayMs: 100 },
      { action: 'retry', delayMs: 200 },
      { action: 'dlq' },
    ])
    const late = stepsOf({ retry: { attempts: 21 } })[19]
    expect(late).toEqual({ action: 'retry', delayMs: 5_000 })
  })

  test('a policy of one’s own cannot ask for a wait that a timer would not keep', () => {
    const steps = stepsOf({ retry: { attempts: 2, backoff: () => -1 } })
    expect(steps[0]).toEqual({ action: 'retry', delayMs: 0 })
  })
})

describe('options', () => {
  test.each([
    ['errorPolicy', '"fail"'],
    ['errorPolicy', 'null'],
    ['errorPolicy.strategy', '{"strategy":"ignore"}'],
    ['errorPolicy.retry', '{"retry":3}'],
    ['errorPolicy.retry.attempts', '{"retry":{}}'],
    ['errorPolicy.retry.attempts', '{"retry":{"attempts":-1}}'],
    ['errorPolicy.retry.attempts', '{"retry":{"attempts":1.5}}'],
    ['errorPolicy.retry.backoff', '{"retry":{"attempts":1,"backoff":100}}'],
    ['errorPolicy.attempts', '{"attempts":2}'],
  ])('%s is refused in %s', (path, json) => {
    const make = (): unknown => resolveErrorPolicy(JSON.parse(json) as ErrorPolicy)
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(expect.objectContaining({ path }))
  })

  test('the resolved policy is frozen and the caller’s object is not written to', () => {
    const policy = Object.freeze({ retry: Object.freeze({ attempts: 2 }) })
    expect(Object.isFrozen(resolveErrorPolicy(policy))).toBe(true)
  })
})
