import { describe, expect, onTestFinished, test } from 'vitest'
import type { BreakerOptions } from '@bus/core'
import { OpossumBreaker, type OpossumBreakerHooks } from '../src/client/reconnect/breaker.ts'

function breakerWith(
  options: BreakerOptions = {},
  hooks: OpossumBreakerHooks = {},
): OpossumBreaker {
  const breaker = new OpossumBreaker(options, hooks)
  onTestFinished(() => breaker.close())
  return breaker
}

const down = (): Promise<never> => Promise.reject(new Error('down'))
const fail = (breaker: OpossumBreaker): Promise<unknown> => breaker.run(down).catch(() => {})

describe('a breaker', () => {
  test('opens at the fifth failure in a row and not at the first, where nothing else is said [F111]', async () => {
    const breaker = breakerWith()
    for (let n = 1; n <= 4; n++) await fail(breaker)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  test('counts in a row and not in percent: half of all calls may fail for ever, and refused calls are no failures [F112]', async () => {
    const breaker = breakerWith({ failureThreshold: 2 })
    for (let n = 0; n < 50; n++) {
      await fail(breaker)
      await breaker.run(() => Promise.resolve())
    }
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    await fail(breaker)
    expect(breaker.state).toBe('open')
    for (let n = 0; n < 10; n++) breaker.refusal()
    expect(breaker.stats()).toMatchObject({ failures: 2, rejected: 10 })
  })

  test('takes an action for what it does, whether it returns nothing, no promise, or throws at once [F113]', async () => {
    const breaker = breakerWith({ failureThreshold: 2 })
    await expect(breaker.run((() => undefined) as never)).resolves.toBeUndefined()
    await expect(breaker.run((() => 7) as never)).resolves.toBe(7)
    expect(breaker.stats()).toMatchObject({ failures: 0 })
    const boom = new Error('boom')
    const throws = (): never => {
      throw boom
    }
    await expect(breaker.run(throws)).rejects.toBe(boom)
    expect(breaker.stats()).toMatchObject({ failures: 1, state: 'closed' })
  })

  test('refuses calls only while it is open, as nothing that failed, and none while an attempt probes [F116]', async () => {
    const breaker = breakerWith({ failureThreshold: 1, successThreshold: 1 })
    await fail(breaker)
    expect(breaker.refusal()).toMatchObject({
      code: 'circuit-open',
      outcome: 'not-sent',
      retryable: true,
    })
    let finish = (): void => {}
    const probe = breaker.run(() => new Promise<void>((resolve) => (finish = resolve)))
    expect([breaker.refusal(), breaker.state]).toEqual([undefined, 'half-open'])
    expect(breaker.stats()).toMatchObject({ failures: 1, rejected: 1 })
    finish()
    await probe
    expect(breaker.state).toBe('closed')
  })

  test('is not closed by a call that began before it opened, not even when that ends while it is half-open [F117]', async () => {
    const breaker = breakerWith({ failureThreshold: 1, openMs: 5, successThreshold: 1 })
    const finish: (() => void)[] = []
    const slow = (): Promise<void> =>
      breaker.run(() => new Promise((resolve) => finish.push(resolve)))
    const early = [slow(), slow()]
    await fail(breaker)
    expect(breaker.state).toBe('open')
    finish[0]?.()
    await early[0]
    expect(breaker.state).toBe('open')
    void slow()
    finish[1]?.()
    await early[1]
    expect(breaker.state).toBe('half-open')
  })

  test('that was closed for good calls nothing any more, though a call that was under way fails after that [F118]', async () => {
    const changes: unknown[] = []
    const breaker = breakerWith(
      { failureThreshold: 1, openMs: 5 },
      { onChange: (change) => changes.push(change) },
    )
    let giveUp: (error: Error) => void = () => {}
    const late = breaker.run(() => new Promise<void>((_, reject) => (giveUp = reject)))
    breaker.close()
    giveUp(new Error('late'))
    await expect(late).rejects.toThrow('late')
    let calls = 0
    const count = async (): Promise<void> => void calls++
    await expect(breaker.run(count)).rejects.toMatchObject({ code: 'closed' })
    breaker.fail(new Error('more'))
    breaker.trip()
    // Longer than it would have been open.
    await new Promise((resolve) => setTimeout(resolve, 20))
    await expect(breaker.run(count)).rejects.toMatchObject({ code: 'closed' })
    expect([calls, changes, breaker.state]).toEqual([0, [], 'closed'])
  })

  test('settles also where the function throws that says what counts: it counts, and is reported [F120]', async () => {
    const reported: unknown[] = []
    const broken = new Error('hook')
    const breaker = breakerWith(
      { failureThreshold: 2 },
      {
        isFailure: () => {
          throw broken
        },
        onError: (error) => reported.push(error),
      },
    )
    await expect(breaker.run(down)).rejects.toThrow('down')
    expect(breaker.stats()).toMatchObject({ failures: 1 })
    expect(reported).toEqual([broken])
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  test('takes what is no failure for nothing: it neither opens nor closes because of it [F120]', async () => {
    const breaker = breakerWith(
      { failureThreshold: 2, openMs: 5, successThreshold: 1 },
      { isFailure: (error) => (error as Error).message === 'down' },
    )
    const refused = (): Promise<never> => Promise.reject(new Error('refused'))
    await fail(breaker)
    await expect(breaker.run(refused)).rejects.toThrow('refused')
    expect(breaker.stats().failures).toBe(1)
    await fail(breaker)
    await expect(breaker.run(refused)).rejects.toThrow('refused')
    expect(breaker.state).toBe('half-open')
  })

  test('gives a result as it is although a listener throws [F121]', async () => {
    const reported: unknown[] = []
    const broken = new Error('listener')
    const breaker = breakerWith(
      { failureThreshold: 1, openMs: 5, successThreshold: 1 },
      {
        onChange: () => {
          throw broken
        },
        onError: (error) => reported.push(error),
      },
    )
    await expect(breaker.run(down)).rejects.toThrow('down')
    await expect(breaker.run(() => Promise.resolve('well'))).resolves.toBe('well')
    expect(breaker.state).toBe('closed')
    expect(reported).toEqual([broken, broken, broken])
  })
})
