import { describe, expect, onTestFinished, test } from 'vitest'
import { createBus, DisconnectedError, AbortedError, TooLargeError, createEvent } from '@bus/core'
import { memoryMedium, memoryTransport } from '@bus/core/memory'
import { StubTransport, SimulatedClock } from '@bus/test-support'
import {
  combinedTransport,
  type CombinedTransport,
  type CombinedTransportOptions,
} from '../src/combined-transport.ts'

const event = createEvent('a', 1)
const notSent = new DisconnectedError('no link', { outcome: 'not-sent' })
const lost = new DisconnectedError('lost', { outcome: 'unknown' })

function combine(options: Partial<CombinedTransportOptions> = {}): {
  readonly one: StubTransport
  readonly two: StubTransport
  readonly all: CombinedTransport
} {
  const [one, two] = [new StubTransport('one'), new StubTransport('two')]
  const all = combinedTransport({ transports: [one, two], ...options })
  onTestFinished(() => all.close())
  return { one, two, all }
}

const counts = (...stubs: StubTransport[]): number[] => stubs.map((stub) => stub.published.length)

describe('publishing to the first of several transports', () => {
  test('takes the first that is ready, and the next when that fails', async () => {
    const { one, two, all } = combine()
    await all.publish(event)
    expect(counts(one, two)).toEqual([1, 0])
    one.onPublish = () => Promise.reject(notSent)
    await all.publish(event)
    expect(counts(one, two)).toEqual([2, 1])
    one.become('backoff')
    await all.publish(event)
    expect(counts(one, two)).toEqual([2, 2])
  })

  test('rejects with all errors when every one fails', async () => {
    const { one, two, all } = combine()
    for (const stub of [one, two]) stub.onPublish = () => Promise.reject(notSent)
    await expect(all.publish(event)).rejects.toMatchObject({
      code: 'attempts-exhausted',
      outcome: 'not-sent',
      cause: new AggregateError([notSent, notSent], '2 transports failed'),
    })
  })

  test('stops where the event may have arrived, unless it is idempotent', async () => {
    const { one, two, all } = combine()
    one.onPublish = () => Promise.reject(lost)
    await expect(all.publish(event)).rejects.toMatchObject({
      outcome: 'unknown',
      cause: { errors: [lost] },
    })
    expect(counts(two)).toEqual([0])
    const again = combine({ idempotent: true })
    again.one.onPublish = () => Promise.reject(lost)
    await again.all.publish(event)
    expect(counts(again.two)).toEqual([1])
  })

  test('rejects with the error of the event itself as it is', async () => {
    const { one, two, all } = combine()
    const error = new TooLargeError('The event', 2, 1)
    one.onPublish = () => Promise.reject(error)
    await expect(all.publish(event)).rejects.toBe(error)
    expect(counts(two)).toEqual([0])
  })

  test('waits with the first that may become ready where none is', async () => {
    const { one, two, all } = combine()
    one.become('closed')
    two.become('backoff')
    await all.publish(event)
    expect(counts(one, two)).toEqual([0, 1])
  })

  test('shares the time of the caller', async () => {
    const clock = new SimulatedClock()
    const { one, two, all } = combine({ clock })
    one.onPublish = () => {
      clock.advance(60)
      return Promise.reject(notSent)
    }
    await all.publish(event, { timeoutMs: 100 })
    expect([one.limits[0], two.limits[0]]).toEqual([{ timeoutMs: 100 }, { timeoutMs: 40 }])
  })
})

describe('publishing to all of several transports', () => {
  test('succeeds when every one has taken the event', async () => {
    const { one, two, all } = combine({ publish: 'all' })
    two.onPublish = ({ id }) => Promise.resolve({ id, status: 'sent', attempts: 3 })
    await expect(all.publish(event)).resolves.toEqual({ id: event.id, status: 'sent', attempts: 3 })
    expect(counts(one, two)).toEqual([1, 1])
  })

  test('rejects with the errors of those that failed, and says that others have it', async () => {
    const { one, all } = combine({ publish: 'all' })
    one.onPublish = () => Promise.reject(notSent)
    await expect(all.publish(event)).rejects.toMatchObject({
      code: 'attempts-exhausted',
      outcome: 'unknown',
      cause: { errors: [notSent] },
    })
  })
})

describe('a fallback', () => {
  test.each(['first', 'all'] as const)(
    'takes what nobody else took (%s), and only that',
    async (publish) => {
      const fallback = new StubTransport('fallback')
      const { one, two, all } = combine({ publish, fallback })
      await all.publish(event)
      expect(counts(fallback)).toEqual([0])
      for (const stub of [one, two]) stub.onPublish = () => Promise.reject(notSent)
      await expect(all.publish(event)).resolves.toMatchObject({ status: 'confirmed' })
      expect(counts(fallback)).toEqual([1])
      fallback.onPublish = () => Promise.reject(notSent)
      await expect(all.publish(event)).rejects.toMatchObject({
        cause: { errors: [notSent, notSent, notSent] },
      })
      one.onPublish = () => Promise.reject(lost)
      await expect(all.publish(event)).rejects.toMatchObject({ outcome: 'unknown' })
      expect(counts(fallback)).toEqual([2])
    },
  )

  test('is subscribed like the others, and takes events that are emitted while none is ready', () => {
    const fallback = new StubTransport('fallback')
    const { one, two, all } = combine({ fallback })
    all.subscribe(['a'], { deliver: () => true })
    expect([one, two, fallback].map(({ feeds }) => feeds.length)).toEqual([1, 1, 1])
    expect(all.emit(event)).toBe(true)
    for (const stub of [one, two]) stub.become('backoff')
    all.emit(event)
    expect([one, two, fallback].map(({ emitted }) => emitted.length)).toEqual([1, 0, 1])
  })
})

test('emit reaches all when it is told to, and tells what comes after the end', async () => {
  const { one, two, all } = combine({ publish: 'all' })
  const lostEvents: string[] = []
  all.on('undeliverable', ({ reason }) => void lostEvents.push(reason))
  all.emit(event)
  expect([one.emitted, two.emitted]).toEqual([[event], [event]])
  const drained = all.drain()
  expect(all.emit(event)).toBe(false)
  await expect(all.publish(event)).rejects.toMatchObject({ code: 'draining' })
  await drained
  expect(lostEvents).toEqual(['rejected'])
})

test('a bus over two media hears both, and each event once', async () => {
  const media = [memoryMedium(), memoryMedium()] as const
  const transports = media.map((medium) => memoryTransport({ medium }))
  await using bus = createBus({ transport: combinedTransport({ transports, publish: 'all' }) })
  const seen: unknown[] = []
  await bus.subscribe('a', ({ payload }) => void seen.push(payload))
  await bus.publish('a', 'mine')
  for (const medium of media) {
    await using other = createBus({ transport: memoryTransport({ medium }) })
    await other.publish('a', 'theirs')
  }
  expect(seen).toEqual(['mine', 'theirs', 'theirs'])
  expect(bus.capabilities).toMatchObject({ ordering: 'per-publisher', dedupe: true })
})

test.each([
  [{}, 'transports'],
  [{ transports: [] }, 'transports'],
  [{ transports: [{}] }, 'transports[0]'],
  [{ transports: [new StubTransport()], publish: 'some' }, 'publish'],
  [{ transports: [new StubTransport()], fallback: {} }, 'fallback'],
  [{ transports: [new StubTransport()], idempotent: 1 }, 'idempotent'],
])('refuses %j and names the option', (options, path) => {
  const given = options as unknown as CombinedTransportOptions
  expect(() => combinedTransport(given)).toThrow(expect.objectContaining({ code: 'config', path }))
})

describe('what is wrong with the call, for every transport that it goes to', () => {
  test('is told as each of them told it, and not as a list', async () => {
    const { one, two, all } = combine({ publish: 'all' })
    const tooLarge = new TooLargeError('The event', 2, 1)
    for (const stub of [one, two]) stub.onPublish = () => Promise.reject(tooLarge)
    await expect(all.publish(event)).rejects.toBe(tooLarge)
  })

  test('says that the event may have arrived, if one of them says so', async () => {
    const { one, two, all } = combine({ publish: 'all' })
    one.onPublish = () => Promise.reject(new AbortedError('publish', { outcome: 'not-sent' }))
    two.onPublish = () => Promise.reject(new AbortedError('publish', { outcome: 'unknown' }))
    await expect(all.publish(event)).rejects.toMatchObject({ code: 'aborted', outcome: 'unknown' })
  })
})
