import { describe, expect, test, vi } from 'vitest'
import { createEvent } from '../src/contract/event.ts'
import type { ErrorPolicy } from '../src/contract/subscriber.ts'
import { InMemoryDeadLetterQueue } from '../src/resilience/dead-letters.ts'
import { useBuses, until } from '@bus/test-support'

const makeBus = useBuses()

describe('failing handlers', () => {
  test('do not touch the publisher or a neighbour [F100]', async () => {
    const bus = makeBus()
    const seen = vi.fn()
    await bus.subscribe('a', () => {
      throw new Error('no')
    })
    await bus.subscribe('a', () => Promise.reject(new Error('never')))
    await bus.subscribe('a', () => new Promise(() => {}))
    await bus.subscribe('a', seen)
    for (let n = 0; n < 3; n++) await bus.publish('a', n)
    expect(seen).toHaveBeenCalledTimes(3)
    await until(() => bus.subscriptions[1]?.stats().failed === 3)
    expect((await bus.health()).subscriptions.map((s) => s.consecutiveErrors)).toEqual([3, 3, 0, 0])
  })

  test.each<[ErrorPolicy['strategy'], number, number]>([
    ['drop', 3, 0],
    ['dlq', 3, 3],
    ['retry', 9, 3],
    ['fail', 1, 0],
  ])('%s: %i calls, %i dead letters', async (strategy = 'dlq', calls, letters) => {
    const bus = makeBus()
    const handler = vi.fn(() => {
      throw new Error('no')
    })
    const retry = { attempts: 3, backoff: () => 0 }
    await bus.subscribe('a', handler, {
      errorPolicy: strategy === 'retry' ? { strategy, retry } : { strategy },
    })
    for (let n = 0; n < 3; n++) await bus.publish('a', n)
    await until(() => handler.mock.calls.length === calls)
    await until(() => bus.deadLetters?.size === letters)
    expect(bus.subscriptions).toHaveLength(strategy === 'fail' ? 0 : 1)
  })

  test('the dead letter keeps event and error as they were', async () => {
    const deadLetters = new InMemoryDeadLetterQueue()
    const bus = makeBus({ deadLetters })
    const told: unknown[] = []
    bus.on('dead-letter', (letter) => void told.push(letter.id))
    await bus.subscribe('a', () => {
      throw Object.assign(new RangeError('odd'), { code: 'E_ODD' })
    })
    const event = createEvent('a', { deep: [1, { x: null }] }, { source: 's', correlationId: 'c' })
    await bus.publish(event)
    const [letter] = deadLetters.list()
    expect(letter).toMatchObject({
      event,
      attempts: 1,
      error: { name: 'RangeError', message: 'odd', code: 'E_ODD' },
    })
    expect(told).toEqual([letter?.id])
  })

  test('an event that the dead letters refuse is reported', async () => {
    const errors: string[] = []
    const bus = makeBus({
      deadLetters: new InMemoryDeadLetterQueue({ capacity: 1, overflow: 'refuse' }),
      onError: (_error, kind) => void errors.push(kind),
    })
    await bus.subscribe('a', () => {
      throw new Error('no')
    })
    for (let n = 0; n < 2; n++) await bus.publish('a', n)
    expect(errors).toEqual(['handler', 'handler', 'dead-letter'])
  })

  test('deadLetters: false stores nothing and still reports', async () => {
    const errors = vi.fn()
    const bus = makeBus({ deadLetters: false, onError: errors })
    const undeliverable = vi.fn()
    bus.on('undeliverable', undeliverable)
    await bus.subscribe('a', () => {
      throw new Error('no')
    })
    await bus.publish('a', 1)
    expect(bus.deadLetters).toBeUndefined()
    expect(errors).toHaveBeenCalledTimes(1)
    expect(undeliverable).not.toHaveBeenCalled()
  })
})

describe('notices', () => {
  test('a listener that throws is an error notice and changes nothing', async () => {
    const errors: string[] = []
    const bus = makeBus({ onError: (error, kind) => void errors.push(`${kind}: ${error.message}`) })
    const second = vi.fn()
    bus.on('status', () => {
      throw new Error('bad listener')
    })
    bus.on('status', second)
    await bus.connect()
    expect(second).toHaveBeenCalledTimes(1)
    expect(errors).toEqual(['listener: bad listener'])
  })

  test('the closing status is the last thing that is reported', async () => {
    const bus = makeBus()
    const told: string[] = []
    bus.on('status', ({ status }) => void told.push(status.state))
    bus.on('error', () => void told.push('error'))
    await bus.connect()
    await bus.close()
    bus.emit('a', 1)
    expect(told).toEqual(['ready', 'closed'])
  })

  test('a subscription whose queue fills is reported with its id', async () => {
    const bus = makeBus()
    const told: unknown[] = []
    bus.on('subscription-backpressure', (notice) => void told.push(notice))
    const { id } = await bus.subscribe('a', () => new Promise(() => {}), {
      queue: { capacity: 2, warningThreshold: 1 },
    })
    for (let n = 0; n < 3; n++) await bus.publish('a', n)
    expect(told).toEqual([{ id, level: 'high', fillRatio: 1 }])
  })
})
