import {
  AbortedError,
  CircuitOpenError,
  ClosedError,
  ConfigError,
  ConnectionError,
  SerializationError,
  TimeoutError,
  type BreakerOptions,
  type BreakerStateName,
} from '@bus/core'
import { assert, array, asyncProperty, constantFrom } from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OpossumBreaker, type BreakerChange, type OpossumBreakerHooks } from './breaker.ts'

const OPEN_MS = 1_000
const NOW = Date.UTC(2030, 0, 1)
/** The figures of a breaker that nothing happened to. */
const FRESH = Object.freeze({
  state: 'closed',
  failures: 0,
  successes: 0,
  total: 0,
  rejected: 0,
  lastFailureAt: undefined,
})

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})

afterEach(() => {
  vi.useRealTimers()
})

function create(options: BreakerOptions = {}, hooks: OpossumBreakerHooks = {}) {
  const changes: BreakerChange[] = []
  const breaker = new OpossumBreaker(
    { failureThreshold: 3, openMs: OPEN_MS, successThreshold: 2, ...options },
    { onChange: (change) => changes.push(change), ...hooks },
  )
  const succeed = () => breaker.run(async () => 'value')
  const fail = async (error: unknown = new Error('down')): Promise<string> => {
    try {
      await breaker.run(async () => {
        throw error
      })
      return 'resolved'
    } catch (thrown) {
      return thrown === error ? 'failed' : (thrown as CircuitOpenError).code
    }
  }
  const failTimes = async (times: number) => {
    for (let i = 0; i < times; i++) await fail()
  }
  const halfOpen = async () => {
    breaker.trip()
    await vi.advanceTimersByTimeAsync(OPEN_MS)
    expect(breaker.state).toBe('half-open')
  }
  return { breaker, changes, succeed, fail, failTimes, halfOpen }
}

/** An action that ends when the test says so. */
function pending() {
  const ends: { resolve(value: string): void; reject(error: Error): void }[] = []
  const promise = new Promise<string>((resolve, reject) => ends.push({ resolve, reject }))
  return {
    action: () => promise,
    resolve: (value: string) => ends[0]?.resolve(value),
    reject: (error: Error) => ends[0]?.reject(error),
  }
}

function throwsAtOnce(): Promise<never> {
  throw new RangeError('at once')
}

describe('a closed breaker', () => {
  it('hands through values and errors as they are, also undefined', async () => {
    const { breaker, fail } = create()
    await expect(breaker.run(async () => 7)).resolves.toBe(7)
    await expect(breaker.run(async () => undefined)).resolves.toBeUndefined()
    await expect(fail()).resolves.toBe('failed')
    await expect(breaker.run(() => Promise.reject(undefined))).rejects.toBeUndefined()
    await expect(breaker.run(throwsAtOnce)).rejects.toThrow('at once')
    expect(breaker.stats()).toMatchObject({ state: 'open', failures: 3, total: 5 })
  })

  it('opens after as many failures in a row as the threshold says; calls are then refused and counted', async () => {
    const { breaker, failTimes } = create()
    await failTimes(2)
    expect(breaker.state).toBe('closed')
    expect(breaker.refusal()).toBeUndefined()
    await failTimes(1)
    expect(breaker.state).toBe('open')
    for (let n = 0; n < 3; n++) {
      expect(breaker.refusal()).toMatchObject({ code: 'circuit-open', outcome: 'not-sent' })
    }
    expect(breaker.stats()).toMatchObject({ total: 6, rejected: 3, failures: 3 })
  })

  it('forgets failures at a success: two, a success and two more do not reach a threshold of three', async () => {
    const { breaker, succeed, failTimes } = create()
    await failTimes(2)
    await succeed()
    await failTimes(2)
    expect(breaker.state).toBe('closed')
    await failTimes(1)
    expect(breaker.state).toBe('open')
  })

  it('is tripped by failures 8 seconds apart, as a long backoff spaces them', async () => {
    const { breaker, fail } = create({ failureThreshold: 5 })
    for (let i = 0; i < 5; i++) {
      expect(breaker.state).toBe('closed')
      await fail()
      await vi.advanceTimersByTimeAsync(8_000)
    }
    expect(breaker.stats().failures).toBe(5)
    expect(breaker.stats().lastFailureAt).toBe(NOW + 4 * 8_000)
    // The open time of one second passed since.
    expect(breaker.state).toBe('half-open')
  })

  it('opens by the default threshold of 5 and stays open for the default 60 seconds', async () => {
    const breaker = new OpossumBreaker()
    const fail = () => breaker.run(() => Promise.reject(new Error('down'))).catch(() => {})
    for (let i = 0; i < 4; i++) await fail()
    expect(breaker.state).toBe('closed')
    await fail()
    await vi.advanceTimersByTimeAsync(59_999)
    expect(breaker.state).toBe('open')
    await vi.advanceTimersByTimeAsync(1)
    expect(breaker.state).toBe('half-open')
    breaker.succeed()
    expect(breaker.state).toBe('half-open')
    breaker.succeed()
    expect(breaker.state).toBe('closed')
    breaker.close()
  })

  it('counts failures and successes that are reported from outside', async () => {
    const { breaker, failTimes } = create()
    breaker.fail(new Error('send'))
    await failTimes(1)
    breaker.succeed()
    expect(breaker.stats().failures).toBe(0)
    breaker.fail(new Error('send'))
    breaker.fail(new Error('send'))
    breaker.fail(new Error('send'))
    expect(breaker.state).toBe('open')
    breaker.fail(new Error('while open'))
    breaker.succeed()
    expect(breaker.stats()).toMatchObject({ state: 'open', failures: 3, total: 1 })
  })
})

describe('an open breaker', () => {
  it('delays no attempt: one that comes before its time is over is the probe', async () => {
    const { breaker, succeed, fail, failTimes, changes } = create()
    await failTimes(3)
    await expect(fail()).resolves.toBe('failed')
    expect(breaker.state).toBe('open')
    const probe = pending()
    const run = breaker.run(probe.action)
    expect(breaker.state).toBe('half-open')
    // The timer of the open state that the attempt ended.
    await vi.advanceTimersByTimeAsync(OPEN_MS * 2)
    probe.resolve('ok')
    await run
    await succeed()
    expect(breaker.state).toBe('closed')
    expect(changes.map(({ state }) => state)).toEqual([
      'open',
      'half-open',
      'open',
      'half-open',
      'closed',
    ])
  })

  it('is half-open after the open time without an attempt, and closes after two successes', async () => {
    const { breaker, succeed, failTimes, changes } = create()
    await failTimes(3)
    await vi.advanceTimersByTimeAsync(OPEN_MS - 1)
    expect(breaker.state).toBe('open')
    await vi.advanceTimersByTimeAsync(1)
    expect(breaker.state).toBe('half-open')
    await succeed()
    expect(breaker.stats()).toMatchObject({ state: 'half-open', failures: 0, successes: 1 })
    await succeed()
    expect(breaker.stats()).toMatchObject({ state: 'closed', failures: 0, successes: 0 })
    expect(changes).toEqual([
      { state: 'open', previous: 'closed' },
      { state: 'half-open', previous: 'open' },
      { state: 'closed', previous: 'half-open' },
    ])
  })

  it('is not closed by a success that began before it opened', async () => {
    const { breaker, failTimes } = create()
    const early = pending()
    const run = breaker.run(early.action)
    await failTimes(3)
    await vi.advanceTimersByTimeAsync(OPEN_MS)
    early.resolve('late')
    await expect(run).resolves.toBe('late')
    expect(breaker.stats()).toMatchObject({ state: 'half-open', successes: 0 })
  })

  it('is not kept open by a failure that began before it opened', async () => {
    const { breaker, failTimes } = create()
    const early = pending()
    const run = breaker.run(early.action)
    await failTimes(3)
    await vi.advanceTimersByTimeAsync(OPEN_MS)
    early.reject(new Error('late'))
    await expect(run).rejects.toThrow('late')
    expect(breaker.state).toBe('half-open')
  })
})

describe('a half-open breaker', () => {
  it('opens again at a failure, and its time starts again', async () => {
    const { breaker, fail, halfOpen } = create()
    await halfOpen()
    await fail()
    expect(breaker.state).toBe('open')
    await vi.advanceTimersByTimeAsync(OPEN_MS - 1)
    expect(breaker.state).toBe('open')
    await vi.advanceTimersByTimeAsync(1)
    expect(breaker.state).toBe('half-open')
  })

  it('opens again at a failure between the first success and the one that would close it', async () => {
    const { breaker, succeed, fail, halfOpen } = create()
    await halfOpen()
    await succeed()
    await fail()
    expect(breaker.stats()).toMatchObject({ state: 'open', successes: 0 })
    await vi.advanceTimersByTimeAsync(OPEN_MS)
    await succeed()
    expect(breaker.state).toBe('half-open')
  })

  it('refuses no call', async () => {
    const { breaker, halfOpen } = create()
    await halfOpen()
    expect(breaker.refusal()).toBeUndefined()
    expect(breaker.stats().rejected).toBe(0)
  })

  it('counts an error that is no failure as nothing, and lets the next call through', async () => {
    const abort = new Error('aborted')
    const { breaker, fail, succeed, halfOpen } = create(
      {},
      { isFailure: (error) => error !== abort },
    )
    await halfOpen()
    await expect(fail(abort)).resolves.toBe('failed')
    expect(breaker.stats()).toMatchObject({ state: 'half-open', successes: 0, failures: 0 })
    await succeed()
    await expect(fail(abort)).resolves.toBe('failed')
    expect(breaker.stats()).toMatchObject({ state: 'half-open', successes: 1 })
    await succeed()
    expect(breaker.state).toBe('closed')
  })

  it('takes reports from outside for what they are', async () => {
    const { breaker, halfOpen } = create()
    await halfOpen()
    breaker.succeed()
    expect(breaker.stats()).toMatchObject({ state: 'half-open', successes: 1 })
    breaker.fail(new Error('send'))
    expect(breaker.state).toBe('open')
  })
})

describe('what counts', () => {
  it('is neither an encoding error nor the abort of a caller', async () => {
    const { breaker, fail } = create()
    for (const error of [
      new SerializationError('a cycle'),
      new AbortedError('Connecting'),
      new ConfigError('headers', 'a line break'),
    ]) {
      for (let i = 0; i < 3; i++) {
        await expect(fail(error)).resolves.toBe('failed')
        breaker.fail(error)
      }
    }
    expect(breaker.stats()).toMatchObject({ state: 'closed', failures: 0, total: 9 })
    breaker.fail(new ConnectionError('refused'))
    breaker.fail(new TimeoutError('late'))
    breaker.fail('not even an error')
    expect(breaker.state).toBe('open')
  })

  it('is what the owner says', async () => {
    const { breaker, fail } = create({}, { isFailure: (error) => !(error instanceof TypeError) })
    for (let i = 0; i < 10; i++) await fail(new TypeError('not this one'))
    expect(breaker.state).toBe('closed')
    for (let i = 0; i < 3; i++) await fail(new SerializationError('but this'))
    expect(breaker.state).toBe('open')
  })

  it('is everything when the hook that decides throws, which is reported', async () => {
    const errors: unknown[] = []
    const { breaker, fail } = create(
      { failureThreshold: 1 },
      {
        isFailure: () => {
          throw new Error('hook')
        },
        onError: (error) => errors.push(error),
      },
    )
    await expect(fail()).resolves.toBe('failed')
    expect(breaker.state).toBe('open')
    expect(errors.map(String)).toEqual(['Error: hook'])
  })
})

describe('by hand', () => {
  it('trip opens it and reset closes it and clears the counters', async () => {
    const { breaker, fail, succeed, changes } = create()
    expect(breaker.stats()).toEqual(FRESH)
    await fail()
    breaker.trip()
    breaker.refusal()
    expect(breaker.stats()).toEqual({
      state: 'open',
      failures: 1,
      successes: 0,
      total: 2,
      rejected: 1,
      lastFailureAt: NOW,
    })
    await vi.advanceTimersByTimeAsync(OPEN_MS)
    await succeed()
    expect(breaker.stats()).toEqual({
      state: 'half-open',
      failures: 0,
      successes: 1,
      total: 3,
      rejected: 1,
      lastFailureAt: NOW,
    })
    breaker.reset()
    expect(breaker.stats()).toEqual(FRESH)
    expect(changes.map((change) => change.state)).toEqual(['open', 'half-open', 'closed'])
  })

  it('reset leaves no timer that would open or half-open it later', async () => {
    const { breaker, changes } = create()
    breaker.trip()
    breaker.trip()
    breaker.reset()
    breaker.reset()
    await vi.advanceTimersByTimeAsync(OPEN_MS * 3)
    expect(breaker.state).toBe('closed')
    expect(changes).toHaveLength(2)
  })
})

describe('notices', () => {
  it('are reported in order, also when the listener changes the state itself', async () => {
    const told: BreakerStateName[] = []
    const breaker: OpossumBreaker = new OpossumBreaker(
      { openMs: OPEN_MS },
      {
        onChange: ({ state, previous }) => {
          told.push(previous)
          if (state === 'open') breaker.reset()
          told.push(state)
        },
      },
    )
    breaker.trip()
    expect(told).toEqual(['closed', 'open', 'open', 'closed'])
    breaker.close()
  })

  it('that fail are reported and change nothing', async () => {
    const errors: unknown[] = []
    const { breaker, succeed, halfOpen } = create(
      { successThreshold: 1 },
      {
        onChange: () => {
          throw new Error('listener')
        },
        onError: (error) => errors.push(error),
      },
    )
    await halfOpen()
    await expect(succeed()).resolves.toBe('value')
    expect(breaker.state).toBe('closed')
    expect(errors).toHaveLength(3)
  })
})

describe('after close', () => {
  it('calls nothing, changes nothing and has no timer, whatever comes in late', async () => {
    const { breaker, changes } = create({ failureThreshold: 1 })
    const late = pending()
    const run = breaker.run(late.action)
    breaker.close()
    breaker.close()
    const action = vi.fn<() => Promise<void>>()
    await expect(breaker.run(action)).rejects.toBeInstanceOf(ClosedError)
    late.reject(new Error('late'))
    await expect(run).rejects.toThrow('late')
    breaker.fail(new Error('late'))
    breaker.succeed()
    breaker.trip()
    breaker.reset()
    await expect(breaker.run(action)).rejects.toBeInstanceOf(ClosedError)
    expect(action).not.toHaveBeenCalled()
    expect(changes).toEqual([])
    expect(breaker.state).toBe('closed')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('stays open when it was open', async () => {
    const { breaker } = create()
    breaker.trip()
    breaker.close()
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(OPEN_MS * 2)
    expect(breaker.state).toBe('open')
  })
})

describe('a random history', () => {
  it('keeps to a simple model of counting in a row', async () => {
    const steps = array(constantFrom('fail', 'succeed', 'wait', 'trip', 'reset'), { maxLength: 40 })
    await assert(
      asyncProperty(steps, async (history) => {
        const { breaker, fail, succeed } = create()
        let state = 'closed' as BreakerStateName
        let failures = 0
        let successes = 0
        const open = (): void => {
          state = 'open'
          successes = 0
        }
        const shut = (): void => {
          state = 'closed'
          failures = 0
          successes = 0
        }
        for (const step of history) {
          if (step === 'trip') {
            breaker.trip()
            open()
          } else if (step === 'reset') {
            breaker.reset()
            shut()
          } else if (step === 'wait') {
            await vi.advanceTimersByTimeAsync(OPEN_MS)
            if (state === 'open') state = 'half-open'
          } else if (step === 'fail') {
            await fail()
            if (state === 'open') state = 'half-open'
            failures += 1
            if (state === 'half-open' || failures >= 3) open()
          } else {
            await succeed()
            if (state === 'open') state = 'half-open'
            failures = 0
            if (state === 'half-open' && ++successes === 2) shut()
          }
          expect(breaker.stats()).toMatchObject({ state, failures, successes })
        }
        breaker.close()
      }),
      { numRuns: 60 },
    )
  })
})
