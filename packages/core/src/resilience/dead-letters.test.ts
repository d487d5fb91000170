import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, onTestFinished, test } from 'vitest'
import { failedEvent } from '@bus/test-support'
import { ConfigError, DecodeError, DroppedError, HandlerError } from '../contract/errors.ts'
import type { Undeliverable } from '../contract/transport.ts'
import {
  InMemoryDeadLetterQueue,
  type DeadLetter,
  type DeadLetterEvents,
  type DeadLetterQueueOptions,
  type RedriveTarget,
} from './dead-letters.ts'

const payloads = (letters: Iterable<DeadLetter>): unknown[] =>
  Array.from(letters, (letter) => letter.event?.payload)

/** A queue holding events with the payloads 1 to `count`. */
function filled(count: number, options?: DeadLetterQueueOptions): InMemoryDeadLetterQueue {
  const queue = new InMemoryDeadLetterQueue(options)
  for (let i = 1; i <= count; i++) queue.add(failedEvent(i), 'test')
  return queue
}

function noticesOf<K extends keyof DeadLetterEvents>(
  queue: InMemoryDeadLetterQueue,
  name: K,
): DeadLetterEvents[K][] {
  const notices: DeadLetterEvents[K][] = []
  queue.on(name, (notice) => notices.push(notice))
  return notices
}

function expectBalance(queue: InMemoryDeadLetterQueue): void {
  const { added, size, evicted, removed } = queue.stats()
  expect(added).toBe(size + evicted + removed)
}

/** A target that takes every event but those with these payloads. */
function target(
  failing: readonly unknown[] = [],
): RedriveTarget & { readonly published: unknown[] } {
  const published: unknown[] = []
  return {
    published,
    publish: async ({ payload }) => {
      await Promise.resolve()
      if (failing.includes(payload)) throw new Error(`not ${String(payload)}`)
      published.push(payload)
    },
  }
}

describe('a letter', () => {
  test('keeps the event and the error as they were, also with no attempt at all', () => {
    const queue = new InMemoryDeadLetterQueue()
    const error = new HandlerError('out of stock')
    const undeliverable = failedEvent({ total: 3 }, { error, attempts: 0 })
    const before = Date.now()
    const letter = queue.add(undeliverable, 'orders')
    expect(letter).toMatchObject({
      reason: 'handler',
      direction: 'inbound',
      error: { name: 'HandlerError', message: 'out of stock', code: 'handler' },
      attempts: 0,
      source: 'orders',
      parked: false,
    })
    expect(letter?.event).toBe(undeliverable.event)
    expect(letter?.failedAt).toBeGreaterThanOrEqual(before)
    expect(letter?.failedAt).toBeLessThanOrEqual(Date.now())
    expect(Object.isFrozen(letter)).toBe(true)
    expect(queue.get(letter?.id ?? '')).toBe(letter)
  })

  test('an exhausted publish, an evicted event, a failing handler and a broken frame can be distinguished', () => {
    const queue = new InMemoryDeadLetterQueue()
    const event = failedEvent(1).event
    const given: Undeliverable[] = [
      {
        reason: 'attempts-exhausted',
        direction: 'outbound',
        error: new HandlerError('spent'),
        attempts: 5,
        ...(event && { event }),
      },
      { reason: 'dropped', direction: 'outbound', error: new DroppedError('full'), attempts: 0 },
      failedEvent(2),
      {
        reason: 'undecodable',
        direction: 'inbound',
        error: new DecodeError('no event'),
        attempts: 1,
        raw: '{',
      },
    ]
    for (const one of given) queue.add(one, 'test')
    expect(queue.list().map((letter) => letter.reason)).toEqual([
      'attempts-exhausted',
      'dropped',
      'handler',
      'undecodable',
    ])
    expect(queue.list()[3]).toMatchObject({ raw: '{', error: { code: 'decode' } })
    expect(queue.list()[3]).not.toHaveProperty('event')
  })

  test('a frame of bytes is kept as a copy: the memory it was read into is used again', () => {
    const queue = new InMemoryDeadLetterQueue()
    const raw = Buffer.from('abc')
    queue.add(
      {
        reason: 'undecodable',
        direction: 'inbound',
        error: new DecodeError('no'),
        attempts: 1,
        raw,
      },
      'test',
    )
    raw.fill(0)
    expect(queue.peek()?.raw).toEqual(new Uint8Array([97, 98, 99]))
  })

  test('the same event given up twice makes two letters', () => {
    const queue = new InMemoryDeadLetterQueue()
    const undeliverable = failedEvent(1)
    queue.add(undeliverable, 'a')
    queue.add(undeliverable, 'b')
    expect(new Set(queue.list().map(({ id }) => id)).size).toBe(2)
  })
})

describe('bounds', () => {
  test('one letter more than the capacity evicts the oldest, counted and reported', () => {
    const queue = filled(3, { capacity: 3 })
    const evicted = noticesOf(queue, 'evicted')
    const added = noticesOf(queue, 'added')
    queue.add(failedEvent(4), 'test')
    expect(payloads(queue)).toEqual([2, 3, 4])
    expect(payloads(evicted)).toEqual([1])
    expect(payloads(added)).toEqual([4])
    expect(queue.stats()).toMatchObject({ size: 3, evicted: 1, added: 4, capacity: 3 })
    expectBalance(queue)
  })

  test('a full queue that refuses keeps what it has and names what it did not take', () => {
    const queue = filled(2, { capacity: 2, overflow: 'refuse' })
    const refused = noticesOf(queue, 'refused')
    const undeliverable = failedEvent(3)
    expect(queue.add(undeliverable, 'test')).toBeUndefined()
    expect(payloads(queue)).toEqual([1, 2])
    expect(refused).toEqual([{ undeliverable, source: 'test' }])
    expect(queue.stats()).toMatchObject({ refused: 1, added: 2 })
  })

  test('a heavy letter evicts as many as it needs, and bytes are given back', () => {
    const text = 'x'.repeat(1_000)
    const queue = new InMemoryDeadLetterQueue({ maxBytes: 8_000 })
    for (let i = 0; i < 4; i++) queue.add(failedEvent(text), 'test')
    const light = queue.stats().bytes / 4
    queue.add(failedEvent('y'.repeat(4_500)), 'test')
    const { bytes, evicted, maxBytes, size } = queue.stats()
    expect(bytes).toBeLessThanOrEqual(8_000)
    expect([evicted, maxBytes]).toEqual([5 - size, 8_000])
    expect(evicted).toBeGreaterThanOrEqual(2)
    expect(light).toBeGreaterThan(1_000)
    queue.clear()
    expect(queue.stats().bytes).toBe(0)
  })

  test('a letter above the bound alone is refused and evicts none', () => {
    const queue = filled(2, { maxBytes: 5_000 })
    const refused = noticesOf(queue, 'refused')
    expect(queue.add(failedEvent('x'.repeat(6_000)), 'test')).toBeUndefined()
    expect(payloads(queue)).toEqual([1, 2])
    expect(refused).toHaveLength(1)
  })

  test('without options it takes 10,000 letters and 64 MiB', () => {
    const { capacity, maxBytes } = new InMemoryDeadLetterQueue().stats()
    expect([capacity, maxBytes]).toEqual([10_000, 64 * 1024 * 1024])
    expect(filled(10_001).stats()).toMatchObject({ size: 10_000, evicted: 1 })
  })

  test.each([
    ['capacity', { capacity: 0 }],
    ['maxBytes', { maxBytes: 1.5 }],
    ['overflow', JSON.parse('{"overflow":"grow"}') as object],
    ['redact', JSON.parse('{"redact":true}') as object],
    ['clock', JSON.parse('{"clock":{}}') as object],
    ['random', JSON.parse('{"random":0.5}') as object],
    ['maxSize', JSON.parse('{"maxSize":5}') as object],
  ])('%s of another form is refused', (path, options) => {
    const make = (): unknown => new InMemoryDeadLetterQueue(options)
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(expect.objectContaining({ path }))
  })
})

describe('looking and removing', () => {
  test('letters are listed oldest first; removing one keeps the order of the rest; clear says how many', () => {
    const queue = filled(4)
    expect(payloads(queue.list())).toEqual([1, 2, 3, 4])
    expect(queue.peek()?.event?.payload).toBe(1)
    const second = queue.list()[1]?.id ?? ''
    expect(queue.remove(second)).toBe(true)
    expect(queue.remove(second)).toBe(false)
    expect(queue.get(second)).toBeUndefined()
    expect(payloads(queue)).toEqual([1, 3, 4])
    expect([queue.clear(), queue.size, queue.clear()]).toEqual([3, 0, 0])
    expect(queue.peek()).toBeUndefined()
    expect(queue.stats()).toMatchObject({ removed: 4 })
    expectBalance(queue)
  })
})

describe('secrets', () => {
  test('what redact takes out is not stored anywhere', () => {
    const queue = new InMemoryDeadLetterQueue({
      redact: ({ error }) => ({ error: { ...error, message: 'hidden' } }),
    })
    queue.add(failedEvent('canary', { error: new Error('canary'), raw: 'canary' }), 'test')
    expect(JSON.stringify(queue.list())).not.toContain('canary')
    expect(queue.peek()).toMatchObject({ reason: 'handler', error: { message: 'hidden' } })
  })

  test('redact changes the content only', () => {
    const queue = new InMemoryDeadLetterQueue({
      redact: (letter) => ({ ...letter, source: 'other', attempts: 99, raw: 'shown' }),
    })
    const letter = queue.add(failedEvent(1), 'test')
    expect(letter).toMatchObject({ source: 'test', attempts: 1, raw: 'shown' })
    expect(letter?.event?.payload).toBe(1)
  })

  test('where redact throws, the letter is stored without content and the failure is reported', () => {
    const failure = new Error('redact failed')
    const queue = new InMemoryDeadLetterQueue({
      redact: () => {
        throw failure
      },
    })
    const errors = noticesOf(queue, 'error')
    queue.add(failedEvent('canary', { error: new Error('canary') }), 'test')
    expect(queue.size).toBe(1)
    expect(JSON.stringify(queue.list())).not.toContain('canary')
    expect(errors).toEqual([{ kind: 'redact', error: failure }])
  })
})

describe('close', () => {
  test('hands out what is left, once, and takes nothing more', () => {
    const queue = filled(3)
    const refused = noticesOf(queue, 'refused')
    expect(payloads(queue.close())).toEqual([1, 2, 3])
    expect(queue.close()).toEqual([])
    expect(queue.size).toBe(0)
    expect(queue.add(failedEvent(4), 'test')).toBeUndefined()
    expect(refused).toHaveLength(1)
    expectBalance(queue)
  })
})

describe('listeners', () => {
  test('one that throws changes nothing and is reported as an error', () => {
    const queue = new InMemoryDeadLetterQueue()
    const errors = noticesOf(queue, 'error')
    const failure = new Error('listener')
    queue.on('added', () => {
      throw failure
    })
    expect(queue.add(failedEvent(1), 'test')).toBeDefined()
    expect(errors).toEqual([{ kind: 'listener', error: failure }])
  })

  test('one of error that throws is published, and does not get its own failure', () => {
    const heard: unknown[] = []
    const note = (message: unknown): void => void heard.push(message)
    subscribe('bus.error', note)
    onTestFinished(() => void unsubscribe('bus.error', note))
    const failure = new Error('listener')
    const queue = new InMemoryDeadLetterQueue()
    const fail = (): never => {
      throw failure
    }
    queue.on('added', fail)
    queue.on('error', fail)
    expect(queue.add(failedEvent(1), 'test')).toBeDefined()
    const notice = { source: 'dead-letters', kind: 'listener', error: failure }
    expect(heard).toEqual([notice, notice])
  })

  test('what happens to letters is published on the diagnostics channel', () => {
    const heard: unknown[] = []
    const note = (message: unknown): void => void heard.push(message)
    subscribe('bus.dead-letter', note)
    onTestFinished(() => void unsubscribe('bus.dead-letter', note))
    const queue = filled(2, { capacity: 1 })
    queue.close()
    queue.add(failedEvent(3), 'test')
    expect(heard).toMatchObject([
      { action: 'added', source: 'test', reason: 'handler' },
      { action: 'evicted' },
      { action: 'added' },
      { action: 'refused' },
    ])
  })
})

describe('redrive', () => {
  test('publishes in order and removes what was published; what failed stays in its place', async () => {
    const queue = filled(4)
    const failed = noticesOf(queue, 'failed')
    const to = target([2, 3])
    expect(await queue.redrive(to)).toEqual({ redriven: 2, failed: 2, skipped: 0 })
    expect(to.published).toEqual([1, 4])
    expect(queue.list()).toMatchObject([
      { event: { payload: 2 }, attempts: 2, error: { message: 'no' }, parked: false },
      { event: { payload: 3 }, attempts: 2 },
    ])
    expect(failed).toMatchObject([{ error: { message: 'not 2' } }, { error: { message: 'not 3' } }])
    expect(await queue.redrive(target())).toEqual({ redriven: 2, failed: 0, skipped: 0 })
    expect(queue.size).toBe(0)
    expectBalance(queue)
  })

  test('skips frames without an event and what the filter does not want', async () => {
    const queue = filled(3)
    const { event: _event, ...frame } = failedEvent(0, { raw: '{' })
    queue.add(frame, 'test')
    const to = target()
    const report = await queue.redrive(to, { filter: ({ event }) => event?.payload !== 2 })
    expect(report).toEqual({ redriven: 2, failed: 0, skipped: 2 })
    expect(to.published).toEqual([1, 3])
    expect(queue.size).toBe(2)
  })

  test('each event waits for the one before it', async () => {
    const queue = filled(3)
    let running = 0
    const seen: number[] = []
    await queue.redrive({
      publish: async () => {
        seen.push(++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
      },
    })
    expect(seen).toEqual([1, 1, 1])
  })

  test('an abort ends it between two events; what was published is gone, the rest is there', async () => {
    const queue = filled(3)
    const controller = new AbortController()
    const publish = async (): Promise<void> => controller.abort('enough')
    const call = queue.redrive({ publish }, { signal: controller.signal })
    await expect(call).rejects.toMatchObject({ code: 'aborted', cause: 'enough' })
    expect(payloads(queue)).toEqual([2, 3])
    await expect(queue.redrive(target(), { signal: AbortSignal.abort() })).rejects.toThrow(
      'aborted',
    )
  })

  test('the publish gets the signal', async () => {
    const queue = filled(1)
    const { signal } = new AbortController()
    const seen: unknown[] = []
    await queue.redrive({ publish: async (_event, o) => seen.push(o?.signal) }, { signal })
    expect(seen).toEqual([signal])
  })

  test('two redrives at once publish each event once', async () => {
    const queue = filled(3)
    const to = target()
    const reports = await Promise.all([queue.redrive(to), queue.redrive(to)])
    expect(to.published).toHaveLength(3)
    expect(new Set(to.published)).toEqual(new Set([1, 2, 3]))
    expect(reports.map((r) => r.redriven).reduce((a, b) => a + b)).toBe(3)
  })

  test('an event whose publish fails into the same queue stays one letter', async () => {
    const queue = filled(1)
    const giveUp = (event: Undeliverable['event']): void => {
      const error = new HandlerError('spent')
      const again = failedEvent(1, { reason: 'attempts-exhausted', direction: 'outbound', error })
      queue.add({ ...again, ...(event && { event }) }, 'transport')
    }
    const failing = async (event: Undeliverable['event']): Promise<void> => {
      giveUp(event)
      throw new Error('spent')
    }
    expect(await queue.redrive({ publish: failing })).toMatchObject({ failed: 1 })
    expect(queue.size).toBe(1)
    // A target that only takes note, and gives the event up a moment later, has not published it either.
    expect(await queue.redrive({ publish: async (event) => giveUp(event) })).toMatchObject({
      failed: 1,
    })
    expect(queue.list()).toMatchObject([{ attempts: 3, reason: 'handler' }])
    expectBalance(queue)
  })

  test('a letter that is removed meanwhile is not brought back', async () => {
    const queue = filled(1)
    await queue.redrive({
      publish: async () => {
        queue.clear()
        throw new Error('no')
      },
    })
    expect(queue.size).toBe(0)
    expectBalance(queue)
  })
})
