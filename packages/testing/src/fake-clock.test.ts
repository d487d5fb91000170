import { MAX_TIMEOUT_MS, setLongTimeout, sleep, withDeadline } from '@bus/core/kit'
import { describe, expect, test } from 'vitest'
import { FakeClock } from './fake-clock.ts'

describe('a fake clock', () => {
  test('stands still until it is advanced', async () => {
    const clock = new FakeClock()
    let isOver = false
    const slept = sleep(10, { clock }).then(() => (isOver = true))
    await new Promise((resolve) => setTimeout(resolve, 15))
    expect([clock.now(), clock.pending, clock.nextIn, isOver]).toEqual([0, 1, 10, false])
    clock.advance(10)
    await slept
    expect([clock.now(), clock.pending, clock.nextIn]).toEqual([10, 0, Infinity])
  })

  test('starts at the given time', () => {
    expect(new FakeClock(5_000).now()).toBe(5_000)
  })

  test('fires timers in the order of their deadlines, each at its own moment', () => {
    const clock = new FakeClock()
    const seen: unknown[] = []
    const note = (name: string) => (): void => void seen.push([name, clock.now()])
    clock.setTimeout(note('late'), 30)
    clock.setTimeout(() => {
      note('early')()
      clock.setTimeout(note('set meanwhile'), 5)
    }, 10)
    clock.setTimeout(note('same, second'), 10)
    clock.setTimeout(note('too late'), 31)
    clock.setTimeout(note('at once'), -5)
    clock.advance(30)
    expect(seen).toEqual([
      ['at once', 0],
      ['early', 10],
      ['same, second', 10],
      ['set meanwhile', 15],
      ['late', 30],
    ])
    expect(clock.delays).toEqual([30, 10, 10, 31, -5, 5])
  })

  test('does not fire a timer that was taken back, also by one before it', () => {
    const clock = new FakeClock()
    const seen: string[] = []
    const second = clock.setTimeout(() => seen.push('second'), 10)
    clock.setTimeout(() => {
      clock.clearTimeout(second)
      seen.push('first')
    }, 5)
    clock.advance(100)
    expect(seen).toEqual(['first'])
  })

  test('that was stalled fires late, in order', () => {
    const clock = new FakeClock()
    const seen: unknown[] = []
    clock.setTimeout(() => seen.push(['b', clock.now()]), 20)
    clock.setTimeout(() => seen.push(['a', clock.now()]), 10)
    clock.stall(50)
    expect(seen).toEqual([
      ['a', 50],
      ['b', 50],
    ])
  })

  test('lets promises run between the timers', async () => {
    const clock = new FakeClock()
    const seen: number[] = []
    const run = async (): Promise<void> => {
      for (let n = 0; n < 3; n++) {
        await sleep(10, { clock })
        seen.push(clock.now())
      }
    }
    const ran = run()
    await clock.advanceAsync(30)
    expect(seen).toEqual([10, 20, 30])
    await ran
    expect(clock.now()).toBe(30)
  })

  test('waits for timers that are set in a later iteration, within limits', async () => {
    const clock = new FakeClock()
    const later = setTimeout(() => clock.setTimeout(() => {}, 1), 5)
    await clock.untilPending(1)
    await expect(clock.untilPending(2, { timeoutMs: 5 })).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('there are 1') as string,
    })
    const waiting = clock.untilPending(2, { signal: AbortSignal.abort() })
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    clearTimeout(later)
  })

  test('is the clock of whatever takes one', async () => {
    const clock = new FakeClock()
    const limits = { timeoutMs: 100, clock, what: 'Nothing' }
    const failed = withDeadline(() => new Promise(() => {}), limits)
    clock.advance(100)
    await expect(failed).rejects.toMatchObject({ code: 'timeout' })
    let isOver = false
    setLongTimeout(clock, 2 * MAX_TIMEOUT_MS, () => (isOver = true))
    clock.advance(2 * MAX_TIMEOUT_MS)
    expect(isOver).toBe(true)
  })
})
