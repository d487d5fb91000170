import { expect, it } from 'vitest'
import { OpossumBreaker } from '../src/client/reconnect/breaker.ts'

/** Timers that keep the process alive. */
const timers = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

it('keeps the process alive only during a wait for the half-open state', async () => {
  const before = timers()
  const breaker = new OpossumBreaker({ openMs: 60_000 })
  breaker.trip()
  expect(timers()).toBe(before)
  const controller = new AbortController()
  const wait = breaker.whenHalfOpen({ signal: controller.signal })
  expect(timers()).toBe(before + 1)
  controller.abort()
  await expect(wait).rejects.toMatchObject({ code: 'aborted' })
  expect(timers()).toBe(before)
  breaker.close()
})

it('keeps no timer that keeps the process alive after it was closed, also after a wait', async () => {
  const before = timers()
  const breaker = new OpossumBreaker({ openMs: 60_000, failureThreshold: 1 })
  await expect(breaker.run(() => Promise.reject(new Error('down')))).rejects.toThrow('down')
  const wait = breaker.whenHalfOpen()
  expect(timers()).toBe(before + 1)
  breaker.close()
  await expect(wait).rejects.toMatchObject({ code: 'closed' })
  expect(timers()).toBe(before)
})
