import { describe, expect, test } from 'vitest'
import { ConnectionError } from '../src/contract/errors.ts'
import type { TransportEvents } from '../src/contract/transport.ts'
import { memoryTransport } from '../src/memory/index.ts'
import { createBus } from '../src/bus/event-bus.ts'
import { until, useBuses } from '@bus/test-support'

const makeBus = useBuses()

/** A memory transport that can end by itself, as a refused connection does. */
function mortal(): {
  readonly bus: ReturnType<typeof createBus>
  readonly end: () => Promise<void>
} {
  const transport = memoryTransport()
  const listeners: ((notice: TransportEvents['status']) => void)[] = []
  const on = transport.on.bind(transport)
  transport.on = (name, listener, options) => {
    if (name === 'status') listeners.push(listener as never)
    return on(name, listener, options)
  }
  const cause = new ConnectionError('refused for good')
  return {
    bus: createBus({ transport }),
    end: async () => {
      const previous = transport.status
      const status = { state: 'closed', since: previous.since, cause } as const
      for (const listener of listeners) listener({ status, previous })
      await transport.close()
    },
  }
}

describe('a transport that is over for good', () => {
  test('fails every subscription, iterator and stream, and leaves none in the list', async () => {
    const { bus, end } = mortal()
    const over = { code: 'closed', cause: { message: 'refused for good' } }
    const subscription = await bus.subscribe('a', () => {})
    const loop = (async () => {
      for await (const event of bus.events('a')) void event
    })()
    const readable = bus.toReadable('a').resume()
    const failed = new Promise((resolve) => readable.once('error', resolve))
    await until(() => bus.subscriptions.length === 3)
    await end()
    await expect(subscription.closed).rejects.toMatchObject(over)
    await expect(loop).rejects.toMatchObject(over)
    expect(await failed).toMatchObject(over)
    expect(bus.subscriptions).toEqual([])
    await bus.close()
  })

  test('gives what waits for a handler to the dead letters, and aborts the one that runs', async () => {
    const { bus, end } = mortal()
    let signal: AbortSignal | undefined
    const subscription = await bus.subscribe('a', async (_event, context) => {
      signal = context.signal
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve))
    })
    await bus.publish('a', 1)
    await bus.publish('a', 2)
    await end()
    await expect(subscription.closed).rejects.toMatchObject({ code: 'closed' })
    expect(signal?.reason).toMatchObject({ message: /over for good/ })
    expect(bus.deadLetters?.list()).toMatchObject([{ reason: 'closed', event: { payload: 2 } }])
    await bus.close()
  })

  test('is no failure where the bus itself was closed or drained', async () => {
    for (const method of ['close', 'drain'] as const) {
      const bus = makeBus()
      const subscription = await bus.subscribe('a', () => {})
      const events = bus.events('a')
      await until(() => bus.subscriptions.length === 2)
      await bus.publish('a', 1)
      await events.next()
      const next = events.next()
      await bus[method]()
      await subscription.closed
      expect(await next).toEqual({ done: true, value: undefined })
    }
  })
})
