import { execFile } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { promisify } from 'node:util'
import PQueue from 'p-queue'
import { describe, expect, test, vi } from 'vitest'
import { useBuses, deferred, until } from '@bus/test-support'

const makeBus = useBuses()

describe('the places of a subscription', () => {
  test('are the tasks of its p-queue, not its events, however many of these wait [F104]', async () => {
    const add = vi.spyOn(PQueue.prototype, 'add')
    const bus = makeBus()
    const gate = deferred()
    const subscription = await bus.subscribe('a', () => gate.promise, {
      concurrency: 8,
      queue: { capacity: 1_000 },
    })
    const publishes = Array.from({ length: 10_000 }, (_, n) => bus.publish('a', n))
    await until(() => subscription.stats().queue.size === 1_000)
    expect(subscription.stats().active).toBe(8)
    expect(add).toHaveBeenCalledTimes(8)
    gate.resolve()
    await Promise.all(publishes)
    await until(() => subscription.stats().handled === 10_000)
  })

  test('are never more than said, whether handlers end, fail or take too long [F103]', async () => {
    const bus = makeBus()
    let [running, most, ended] = [0, 0, 0]
    await bus.subscribe(
      'a',
      async ({ payload }) => {
        const n = payload as number
        most = Math.max(most, ++running)
        for (let turn = n % 4; turn > 0; turn--) await new Promise((r) => setImmediate(r))
        running--
        ended++
        if (n % 3 === 0) throw new Error('no')
      },
      { concurrency: 4, handlerTimeoutMs: 60_000, errorPolicy: { strategy: 'drop' } },
    )
    for (let n = 0; n < 500; n++) await bus.publish('a', n)
    await until(() => ended === 500)
    expect(most).toBe(4)
  })
})

describe('closing', () => {
  test('with a thousand events waiting gives each of them an end, and leaves nothing pending [F106]', async () => {
    const bus = makeBus()
    const subscription = await bus.subscribe('a', () => new Promise(() => {}), {
      concurrency: 4,
      orderBy: ({ payload }) => `${(payload as number) % 7}`,
      queue: { capacity: 2_000 },
    })
    // So that some of them wait in lanes, not only in the queue.
    subscription.pause()
    for (let n = 0; n < 1_004; n++) await bus.publish('a', n)
    subscription.resume()
    await until(() => subscription.stats().active === 4)
    const letters = new Set<unknown>()
    bus.on('dead-letter', ({ event, reason }) => letters.add([reason, event?.payload].join(' ')))
    await bus.close()
    expect(letters.size).toBe(1_000)
    expect([...letters].every((letter) => String(letter).startsWith('closed '))).toBe(true)
    // What runs cannot be ended; its signal aborts.
    expect(subscription.stats().active).toBe(4)
  })

  test('in a process that does not survive an unhandled rejection is survived, whatever handlers and hooks threw [F105]', async () => {
    const script = `
      import { createBus } from '@bus/core'
      import { memoryTransport } from '@bus/core/memory'
      const bus = createBus({ transport: memoryTransport() })
      const boom = () => { throw new Error('boom') }
      const rejects = async () => boom()
      const late = (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('late'))))
      for (const handler of [boom, rejects, late, () => Promise.reject(undefined)]) {
        for (const concurrency of [1, 4]) {
          await bus.subscribe('a', handler, { concurrency, handlerTimeoutMs: 20 })
          await bus.subscribe('a', handler, { concurrency, errorPolicy: { strategy: 'fail' } })
          await bus.subscribe('a', handler, { concurrency, orderBy: boom })
          await bus.subscribe('a', handler, { concurrency, errorPolicy: { strategy: 'dlq', deadLetter: { deliver: rejects } } })
        }
      }
      bus.on('error', boom)
      bus.on('dead-letter', rejects)
      const consumer = bus.deadLetters.consume(rejects, { backoff: boom, concurrency: 3 })
      for (let n = 0; n < 20; n++) await bus.publish('a', n)
      await new Promise((resolve) => setTimeout(resolve, 100))
      await bus.drain({ timeoutMs: 50 })
      await consumer.stop()
      process.stdout.write('survived')`
    const args = ['--unhandled-rejections=strict', '--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      cwd: new URL('..', import.meta.url),
      timeout: 50_000,
    })
    expect(stdout).toBe('survived')
  })
})

test('one signal may serve five thousand publishes that wait: it has one listener, and ends them all [F108]', async () => {
  const bus = makeBus({}, { queue: { capacity: 10 } })
  await bus.subscribe('a', () => new Promise(() => {}), { queue: { capacity: 1 } })
  const control = new AbortController()
  const { signal } = control
  const publishes = Array.from({ length: 5_000 }, (_, n) => bus.publish('a', n, { signal }))
  let [fulfilled, rejected] = [0, 0]
  const all = Promise.all(
    publishes.map((publish) =>
      publish.then(
        () => fulfilled++,
        (error: { code: string }) => {
          if (error.code === 'aborted') rejected++
        },
      ),
    ),
  )
  await until(() => bus.backpressureStats().waiting > 4_900)
  expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1)
  control.abort()
  await all
  expect(rejected).toBeGreaterThan(4_900)
  expect(fulfilled + rejected).toBe(5_000)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})
