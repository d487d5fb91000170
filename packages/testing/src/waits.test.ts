import { getEventListeners } from 'node:events'
import { ClosedError } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { FakeClock } from './fake-clock.ts'
import { Waits } from './waits.ts'

function setUp() {
  const clock = new FakeClock()
  const waits = new Waits(clock)
  const found: { value?: string } = {}
  const abort = new AbortController()
  const spec = { what: 'a value', timeoutMs: 100, signal: abort.signal }
  return { clock, waits, found, abort, spec, look: () => found.value }
}

describe('a wait', () => {
  test('resolves at once with what is there already', async () => {
    const { clock, waits, found, spec, look } = setUp()
    found.value = 'here'
    expect(await waits.until(look, spec)).toBe('here')
    expect(clock.delays).toEqual([])
  })

  test('looks again after each change, and leaves nothing', async () => {
    const { clock, waits, found, abort, spec, look } = setUp()
    const waiting = waits.until(look, spec)
    waits.notify()
    found.value = 'late'
    waits.notify()
    expect(await waiting).toBe('late')
    expect([clock.pending, getEventListeners(abort.signal, 'abort').length]).toEqual([0, 0])
  })

  test('times out, with a message of what it waited for', async () => {
    const { clock, waits, spec, look } = setUp()
    const waiting = waits.until(look, { ...spec, details: () => 'there is none' })
    clock.advance(100)
    await expect(waiting).rejects.toMatchObject({
      code: 'timeout',
      message: 'Waited 100 ms for a value: there is none',
    })
  })

  test.each([['before it began'], ['while it waits']])('ends by its signal %s', async (when) => {
    const { clock, waits, abort, spec, look } = setUp()
    if (when === 'before it began') abort.abort('enough')
    const waiting = waits.until(look, spec)
    abort.abort('enough')
    await expect(waiting).rejects.toMatchObject({ code: 'aborted', cause: 'enough' })
    expect(clock.pending).toBe(0)
  })

  test('ends when all of them do, also one that begins later', async () => {
    const { clock, waits, spec, look } = setUp()
    const error = new ClosedError('over')
    const waiting = waits.until(look, spec)
    const sleeping = waits.sleep(50, { what: 'a rest' })
    waits.close(error)
    await expect(waiting).rejects.toBe(error)
    await expect(sleeping).rejects.toBe(error)
    await expect(waits.until(look, spec)).rejects.toBe(error)
    expect(clock.pending).toBe(0)
  })

  test('fails with what its own condition throws', async () => {
    const { waits, spec } = setUp()
    let looks = 0
    const waiting = waits.until(() => {
      if (++looks > 1) throw new Error('mine')
      return undefined
    }, spec)
    waits.notify()
    await expect(waiting).rejects.toThrow('mine')
  })

  test('sleeps for the given time', async () => {
    const { clock, waits } = setUp()
    const sleeping = waits.sleep(50, { what: 'a rest' })
    expect(clock.nextIn).toBe(50)
    clock.advance(50)
    await sleeping
  })
})
