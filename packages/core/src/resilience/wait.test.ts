import { EventEmitter, once } from 'node:events'
import { assert, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SimulatedClock, listenersOf } from '@bus/test-support'
import { MAX_TIMEOUT_MS } from '../contract/clock.ts'
import { AbortedError, ConfigError, TimeoutError } from '../contract/errors.ts'
import { setLongTimeout } from '../contract/clock.ts'
import { abortable, sleep, withDeadline } from './wait.ts'

const what = 'The handshake'

const forever = (): Promise<never> => new Promise(() => {})

/** What the promise became, once the microtasks that are due have run. */
async function peek(promise: Promise<unknown>): Promise<unknown> {
  const pending = Symbol('pending')
  const later = new Promise((resolve) => setImmediate(resolve, pending))
  const settled = promise.catch((error: unknown) => error)
  return (await Promise.race([settled, later])) === pending ? 'pending' : settled
}

/** A call under way that takes ten milliseconds at most and would never end, and the signal that its work got. */
function endless(): {
  call: Promise<never>
  clock: SimulatedClock
  controller: AbortController
  inner: AbortSignal | undefined
} {
  const clock = new SimulatedClock()
  const controller = new AbortController()
  let inner: AbortSignal | undefined
  const call = withDeadline(
    (signal) => {
      inner = signal
      return forever()
    },
    { timeoutMs: 10, clock, signal: controller.signal, what },
  )
  return { call, clock, controller, inner }
}

describe('after', () => {
  test('runs once at its time however long that is, and no timer is longer than it can be', () => {
    assert(
      property(integer({ min: 0, max: 5 * MAX_TIMEOUT_MS }), (ms) => {
        const clock = new SimulatedClock()
        let runs = 0
        setLongTimeout(clock, ms, () => runs++)
        expect(runs).toBe(0)
        if (ms > 0) clock.advance(ms - 1)
        expect(runs).toBe(0)
        clock.advance(1)
        expect(runs).toBe(1)
        expect(clock.pending).toBe(0)
        expect(Math.max(...clock.delays)).toBeLessThanOrEqual(MAX_TIMEOUT_MS)
      }),
    )
  })

  test('stopped before, between or after its timers it leaves none and does not run', () => {
    for (const elapsed of [0, MAX_TIMEOUT_MS, MAX_TIMEOUT_MS + 10]) {
      const clock = new SimulatedClock()
      let runs = 0
      const stop = setLongTimeout(clock, MAX_TIMEOUT_MS + 20, () => runs++)
      clock.advance(elapsed)
      stop()
      stop()
      expect(clock.pending).toBe(0)
      clock.advance(MAX_TIMEOUT_MS)
      expect(runs).toBe(0)
    }
  })
})

describe('sleep', () => {
  test('resolves when its time has come and leaves neither timer nor listener', async () => {
    const clock = new SimulatedClock()
    const controller = new AbortController()
    const nap = sleep(50, { clock, signal: controller.signal })
    clock.advance(49)
    expect(await peek(nap)).toBe('pending')
    clock.advance(1)
    expect(await peek(nap)).toBeUndefined()
    expect([clock.pending, listenersOf(controller.signal)]).toEqual([0, 0])
  })

  test('an abort ends it at once with the reason, and leaves neither timer nor listener', async () => {
    const clock = new SimulatedClock()
    const controller = new AbortController()
    const nap = sleep(50, { clock, signal: controller.signal })
    controller.abort('enough')
    await expect(nap).rejects.toMatchObject({ code: 'aborted', cause: 'enough' })
    expect([clock.pending, listenersOf(controller.signal)]).toEqual([0, 0])
  })

  test('a signal that is aborted already starts no timer', async () => {
    const clock = new SimulatedClock()
    await expect(sleep(50, { clock, signal: AbortSignal.abort() })).rejects.toThrow(AbortedError)
    expect(clock.delays).toEqual([])
  })

  test.each([Number.NaN, -1, '5'])('%s is no time to wait', async (ms) => {
    await expect(sleep(ms as number)).rejects.toThrow(ConfigError)
  })

  test('without a clock it waits by that of the machine', async () => {
    const before = performance.now()
    await sleep(5)
    expect(performance.now() - before).toBeGreaterThan(3)
  })
})

describe('withDeadline', () => {
  test('hands on what the work gives or throws, also when it throws at once, and cleans up', async () => {
    const clock = new SimulatedClock()
    const controller = new AbortController()
    const options = { timeoutMs: 10, clock, signal: controller.signal, what }
    const failure = new Error('no')
    expect(await withDeadline(async () => 'done', options)).toBe('done')
    expect(await withDeadline(() => 'sync', options)).toBe('sync')
    await expect(withDeadline(() => Promise.reject(failure), options)).rejects.toBe(failure)
    const thrower = (): never => {
      throw failure
    }
    await expect(withDeadline(thrower, options)).rejects.toBe(failure)
    expect([clock.pending, listenersOf(controller.signal)]).toEqual([0, 0])
  })

  test('rejects on time although the work never settles, and aborts the signal of the work', async () => {
    const { call, clock, controller, inner } = endless()
    clock.advance(9)
    expect(await peek(call)).toBe('pending')
    expect(inner?.aborted).toBe(false)
    clock.advance(1)
    const error = await peek(call)
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toHaveProperty('message', 'The handshake took longer than 10 ms')
    expect(inner?.reason).toBe(error)
    expect([clock.pending, listenersOf(controller.signal)]).toEqual([0, 0])
  })

  test('rejects as soon as the caller aborts, and passes the abort on', async () => {
    const { call, clock, controller, inner } = endless()
    controller.abort('enough')
    await expect(call).rejects.toMatchObject({ name: 'AbortError', cause: 'enough' })
    expect(inner?.aborted).toBe(true)
    expect([clock.pending, listenersOf(controller.signal)]).toEqual([0, 0])
  })

  test('what the work rejects with after the deadline is not an unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', note)
    try {
      const clock = new SimulatedClock()
      const late = new EventEmitter()
      const call = withDeadline(() => once(late, 'never'), { timeoutMs: 10, clock, what })
      clock.advance(10)
      await expect(call).rejects.toThrow(TimeoutError)
      late.emit('error', new Error('too late'))
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise((resolve) => setImmediate(resolve))
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', note)
    }
  })

  test('a signal that is aborted already keeps the work from starting', async () => {
    let started = false
    const call = withDeadline(() => (started = true), { signal: AbortSignal.abort(), what })
    await expect(call).rejects.toThrow(AbortedError)
    expect(started).toBe(false)
  })

  test('without a limit no timer runs', async () => {
    const clock = new SimulatedClock()
    expect(await withDeadline(() => 1, { clock, what })).toBe(1)
    expect(await withDeadline(() => 1, { clock, what, timeoutMs: Infinity })).toBe(1)
    expect(clock.delays).toEqual([])
  })

  test('a limit that is not a duration is refused', async () => {
    const call = withDeadline(() => 1, { timeoutMs: Number.NaN, what })
    await expect(call).rejects.toMatchObject({ code: 'config', path: 'timeoutMs' })
  })
})

describe('abortable', () => {
  test('gives what the promise gives and forgets the signal', async () => {
    const controller = new AbortController()
    expect(await abortable(Promise.resolve(1), controller.signal, 'It')).toBe(1)
    expect(await abortable(Promise.resolve(2), undefined, 'It')).toBe(2)
    expect(listenersOf(controller.signal)).toBe(0)
  })

  test('rejects when the signal aborts, before or during the wait, and a later rejection is handled', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', note)
    try {
      const failing = Promise.reject(new Error('later'))
      await expect(abortable(failing, AbortSignal.abort(), 'It')).rejects.toThrow('It was aborted')
      const controller = new AbortController()
      const call = abortable(forever(), controller.signal, 'Connecting')
      controller.abort()
      await expect(call).rejects.toThrow('Connecting was aborted')
      expect(listenersOf(controller.signal)).toBe(0)
      await new Promise((resolve) => setImmediate(resolve))
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', note)
    }
  })
})
