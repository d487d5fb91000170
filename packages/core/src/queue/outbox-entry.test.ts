import { listenersOf, SimulatedClock } from '@bus/test-support'
import { describe, expect, test, vi } from 'vitest'
import type { BusError } from '../contract/errors.ts'
import { createEvent } from '../contract/event.ts'
import type { PublishReceipt } from '../contract/transport.ts'
import { BoundedQueue } from './bounded-queue.ts'
import { OutboxEntry, PublishLimits } from './outbox-entry.ts'

const EVENT = createEvent('a', 1, { id: 'e1' })

function published(): { entry: OutboxEntry; receipt: Promise<PublishReceipt> } {
  let entry = new OutboxEntry(EVENT, 'ä')
  const receipt = new Promise<PublishReceipt>((resolve, reject) => {
    entry = new OutboxEntry(EVENT, 'ä', resolve, reject)
  })
  return { entry, receipt }
}

describe('an entry of an outbox', () => {
  test('is as large as its frame in UTF-8', () => {
    expect(new OutboxEntry(EVENT, 'ä').bytes).toBe(2)
    expect(new OutboxEntry(EVENT, new Uint8Array(3)).bytes).toBe(3)
  })

  test('settles with what happens first, and gives its permit back', async () => {
    const { entry, receipt } = published()
    const cancel = vi.fn()
    entry.permit = { cancel }
    entry.attempts = 2
    entry.settle('confirmed')
    entry.fail(new Error('too late'))
    await expect(receipt).resolves.toEqual({ id: 'e1', status: 'confirmed', attempts: 2 })
    expect(entry.isAwaited).toBe(false)
    expect(cancel).toHaveBeenCalled()
  })

  test('leaves the line of a full queue when it fails', async () => {
    const queue = new BoundedQueue<OutboxEntry>({ capacity: 1 })
    queue.offer(new OutboxEntry(EVENT, ''))
    const { entry, receipt } = published()
    const waiting = entry.waitFor(queue)
    expect(queue.waiting).toBe(1)
    const why = new Error('why')
    entry.fail(why)
    await expect(receipt).rejects.toBe(why)
    await expect(waiting).rejects.toMatchObject({ code: 'aborted', cause: why })
    expect(queue.waiting).toBe(0)
  })
})

describe('the limits of publishes', () => {
  function limited(clock = new SimulatedClock()) {
    const limits = new PublishLimits<OutboxEntry>(clock, (entry, error: BusError) =>
      entry.fail(error),
    )
    const control = new AbortController()
    return { limits, clock, control, options: { signal: control.signal, timeoutMs: 10 } }
  }

  test('end every publish that shares a signal when it aborts', async () => {
    const { limits, clock, control, options } = limited()
    const [first, second] = [published(), published()]
    for (const { entry } of [first, second]) limits.start(entry, options)
    expect(listenersOf(control.signal)).toBe(1)
    second.entry.attempts = 1
    control.abort('why')
    await expect(first.receipt).rejects.toMatchObject({ code: 'aborted', outcome: 'not-sent' })
    await expect(second.receipt).rejects.toMatchObject({ cause: 'why', outcome: 'unknown' })
    expect([clock.pending, listenersOf(control.signal)]).toEqual([0, 0])
  })

  test('end a publish whose time is over', async () => {
    const { limits, clock, control, options } = limited()
    const { entry, receipt } = published()
    limits.start(entry, options)
    clock.advance(10)
    await expect(receipt).rejects.toMatchObject({ code: 'timeout', outcome: 'not-sent' })
    expect([clock.pending, listenersOf(control.signal)]).toEqual([0, 0])
  })

  test('leave neither a timer nor a listener once the publish has settled', async () => {
    const { limits, clock, control, options } = limited()
    const { entry, receipt } = published()
    limits.start(entry, options)
    entry.settle('sent')
    await receipt
    expect([clock.pending, listenersOf(control.signal)]).toEqual([0, 0])
  })
})
