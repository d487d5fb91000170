import { expect, test, vi } from 'vitest'
import type { Clock, Timer } from '../contract/clock.ts'
import { AbortedError, ClosedError, TimeoutError } from '../contract/errors.ts'
import { Waiters } from './waiters.ts'

const WORDS = { what: 'Waiting for a seat', timedOut: 'No seat was free' }

/** A clock whose timers fire by hand. */
class ManualClock implements Clock {
  readonly timers = new Map<Timer, () => void>()
  now(): number {
    return 0
  }
  setTimeout(run: () => void): Timer {
    const timer: Timer = {}
    this.timers.set(timer, run)
    return timer
  }
  clearTimeout(timer: Timer): void {
    this.timers.delete(timer)
  }
  fire(): void {
    for (const [timer, run] of this.timers) {
      this.timers.delete(timer)
      run()
    }
  }
}

test('the first to wait is admitted first, one at a time', async () => {
  const waiters = new Waiters<string>(WORDS)
  const admitted: string[] = []
  const waits = ['a', 'b', 'c'].map((name) =>
    waiters.join(name).then(() => void admitted.push(name)),
  )
  expect([waiters.size, waiters.first]).toEqual([3, 'a'])
  waiters.admit()
  await waits[0]
  expect([admitted, waiters.size, waiters.first]).toEqual([['a'], 2, 'b'])
  waiters.admitAll()
  await Promise.all(waits)
  expect([admitted, waiters.size, waiters.first]).toEqual([['a', 'b', 'c'], 0, undefined])
  expect(() => waiters.admit()).not.toThrow()
})

test('an aborted wait rejects with the words and the reason, and those before and behind it stay', async () => {
  const onGiveUp = vi.fn<() => void>()
  const waiters = new Waiters<string>({ ...WORDS, onGiveUp })
  const controller = new AbortController()
  const first = waiters.join('a')
  const aborted = waiters.join('b', { signal: controller.signal })
  const last = waiters.join('c')
  const reason = new Error('changed my mind')
  controller.abort(reason)
  const error = await aborted.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AbortedError)
  expect(error).toMatchObject({ cause: reason, outcome: 'not-sent' })
  expect((error as Error).message).toContain('Waiting for a seat')
  expect([waiters.size, onGiveUp.mock.calls.length]).toEqual([2, 1])
  waiters.admitAll()
  await Promise.all([first, last])
})

test('a wait whose signal is aborted already is refused without a place in the line', async () => {
  const waiters = new Waiters<string>(WORDS)
  await expect(waiters.join('a', { signal: AbortSignal.abort() })).rejects.toThrow(AbortedError)
  expect(waiters.size).toBe(0)
})

test('a wait beyond its limit rejects with the words and the limit', async () => {
  const clock = new ManualClock()
  const waiters = new Waiters<string>({ ...WORDS, clock })
  const late = waiters.join('a', { timeoutMs: 50 })
  clock.fire()
  const error = await late.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TimeoutError)
  expect(error).toMatchObject({ outcome: 'not-sent', message: 'No seat was free within 50 ms' })
  expect([waiters.size, clock.timers.size]).toEqual([0, 0])
})

test('waits that share a signal share a listener, and leave neither listener nor timer however they end', async () => {
  const clock = new ManualClock()
  const waiters = new Waiters<number>({ ...WORDS, clock })
  const { signal } = new AbortController()
  const add = vi.spyOn(signal, 'addEventListener')
  const remove = vi.spyOn(signal, 'removeEventListener')
  const waits = [1, 2, 3].map((n) => waiters.join(n, { signal, timeoutMs: 1_000 }))
  expect([add.mock.calls.length, clock.timers.size]).toEqual([1, 3])
  waiters.admit()
  const closed = new ClosedError('Closed by the test')
  expect(waiters.rejectAll(closed)).toBe(2)
  const results = await Promise.allSettled(waits)
  expect(
    results.map((result) => (result.status === 'rejected' ? result.reason : 'admitted')),
  ).toEqual(['admitted', closed, closed])
  expect([remove.mock.calls.length, clock.timers.size]).toEqual([1, 0])
})
