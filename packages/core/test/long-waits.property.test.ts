/** Waits that are longer than one timer of the system can be: it would fire at once. */
import { assert, integer, oneof, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { durationMs } from '../src/config/checks.ts'
import { checkOptions } from '../src/config/options.ts'
import { setLongTimeout } from '../src/contract/clock.ts'
import { sleep } from '../src/resilience/wait.ts'
import { SimulatedClock } from '@bus/test-support'

/** Above it `setTimeout` fires after one millisecond. */
const MAX_TIMER_MS = 2 ** 31 - 1

const delays = oneof(
  integer({ min: 1, max: 5_000 }),
  integer({ min: MAX_TIMER_MS - 2, max: MAX_TIMER_MS + 2 }),
  integer({ min: 1, max: 20 * MAX_TIMER_MS }),
)

describe('a wait of any length', () => {
  test('ends when it is over and not a moment before, and no timer is set for longer than one can be [F8]', () => {
    assert(
      property(delays, (ms) => {
        const clock = new SimulatedClock()
        let calls = 0
        setLongTimeout(clock, ms, () => calls++)
        clock.advance(ms - 0.5)
        expect(calls).toBe(0)
        clock.advance(0.5)
        expect(calls).toBe(1)
        expect(Math.max(...clock.delays)).toBeLessThanOrEqual(MAX_TIMER_MS)
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 2_000 },
    )
  })

  test('on the clock of the machine does not end at once, and leaves no timer when it is stopped [F8]', async () => {
    const abort = new AbortController()
    let isOver = false
    const slept = sleep(10 * MAX_TIMER_MS, { signal: abort.signal }).finally(() => (isOver = true))
    await sleep(20)
    expect(isOver).toBe(false)
    abort.abort()
    await expect(slept).rejects.toMatchObject({ code: 'aborted' })
  })

  test('is refused as an option where one timer must do [F8]', () => {
    const check = (timeoutMs: number): void =>
      checkOptions('', { timeoutMs }, { timeoutMs: durationMs() })
    expect(() => check(MAX_TIMER_MS)).not.toThrow()
    expect(() => check(MAX_TIMER_MS + 1)).toThrow(/timeoutMs/)
    expect(() => check(Infinity)).toThrow(/timeoutMs/)
  })
})
