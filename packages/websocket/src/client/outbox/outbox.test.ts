import { createEvent, type BusError, type Undeliverable } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../../test/fake-clock.ts'
import { resolveOptions } from '../options/resolve-options.ts'
import { Outbox } from './outbox.ts'

function setUp(strategy: 'drop-oldest' | 'block', capacity = 3) {
  const lost: Undeliverable[] = []
  let wakes = 0
  let rooms = 0
  const { queue } = resolveOptions({ url: 'ws://h/', queue: { capacity, strategy } })
  const outbox = new Outbox(
    queue,
    { wake: () => wakes++ },
    {
      clock: new FakeClock(),
      maxAttempts: 3,
      maxMessageBytes: 1_000,
      admission: undefined,
      rateLimit: () => {},
      admissionFailed: () => {},
      undeliverable: (notice) => lost.push(notice),
      level: () => {},
      room: () => rooms++,
    },
  )
  const publish = (id: string, isConfirmed = true): Promise<unknown> =>
    outbox
      .publish(createEvent('a', 0, { id }), 'x'.repeat(100), isConfirmed, {})
      .catch((error: BusError) => error.code)
  const counts = (): { wakes: number; rooms: number } => ({ wakes, rooms })
  return { outbox, publish, lost, counts }
}

describe('the next entry', () => {
  test('waits as before when it does not fit, and is not counted as an attempt', () => {
    const { outbox, publish } = setUp('block')
    void publish('e1')
    for (const limits of [
      [50, Infinity],
      [Infinity, 50],
    ] as const) {
      expect(outbox.next(...limits)).toBeUndefined()
      expect([outbox.underWay, outbox.stats().size]).toEqual([0, 1])
    }
    expect(outbox.next()).toMatchObject({ event: { id: 'e1' }, attempts: 1 })
    expect(outbox.underWay).toBe(1)
  })

  test('is dropped as the oldest after it was put back, and settles once', async () => {
    const { outbox, publish, lost } = setUp('drop-oldest')
    const first = publish('e1')
    for (const id of ['e2', 'e3']) void publish(id)
    expect(outbox.next(50)).toBeUndefined()
    void publish('e4')
    await expect(first).resolves.toBe('dropped')
    expect(lost).toMatchObject([{ reason: 'dropped', attempts: 0, event: { id: 'e1' } }])
    expect(outbox.next()?.event.id).toBe('e2')
  })

  test('needs credit only where it is confirmed', () => {
    const { outbox, publish } = setUp('block')
    void publish('e1', false)
    void publish('e2')
    expect(outbox.next(Infinity, -1)?.event.id).toBe('e1')
    expect(outbox.next(Infinity, -1)).toBeUndefined()
  })
})

test('room is reported once, and only after an emitted event found none', () => {
  const { outbox, counts } = setUp('block', 1)
  const event = createEvent('a', 0)
  expect(outbox.emit(event, 'x', false)).toBe(false)
  expect(counts()).toEqual({ wakes: 1, rooms: 0 })
  outbox.next()
  outbox.sent()
  expect(counts().rooms).toBe(1)
  outbox.emit(event, 'x', false)
  outbox.forgetReady()
  outbox.next()
  outbox.sent()
  expect(counts().rooms).toBe(1)
})
