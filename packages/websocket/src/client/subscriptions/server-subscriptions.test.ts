import { ClosedError, DisconnectedError, RejectedError, createEvent, type Sink } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Registry } from './registry.ts'
import { ServerSubscriptions, type SubscriptionLink } from './server-subscriptions.ts'

/** A link that a test ends; the protocol of these tests sends nothing over it. */
function fakeLink() {
  const ended = new AbortController()
  const scoped = (signal: AbortSignal): SubscriptionLink => ({
    signal,
    subprotocol: '',
    send: async () => {},
    waitFor: () => new Promise(() => {}),
    report: () => {},
    close: () => {},
    scoped,
  })
  return { link: scoped(ended.signal), end: () => ended.abort(new DisconnectedError('lost')) }
}

function create(answer: (patterns: readonly string[]) => Promise<void> = async () => {}) {
  const registry = new Registry()
  const log: string[] = []
  const subscriptions = new ServerSubscriptions({
    remote: () => ({
      subscribe: (patterns) => {
        log.push(`sub ${patterns.join(' ')}`)
        return answer(patterns)
      },
      unsubscribe: async (patterns) => void log.push(`unsub ${patterns.join(' ')}`),
      settle: () => {},
    }),
    registry,
    clock: systemClock,
    timeoutMs: 1_000,
    released: () => log.push('released'),
    restored: (patterns) => log.push(`restored ${patterns.join(' ')}`),
    restoreFailed: (patterns) => log.push(`failed ${patterns.join(' ')}`),
    failed: (error) => log.push(`error ${error.message}`),
    undeliverable: () => log.push('undeliverable'),
  })
  return { subscriptions, registry, log }
}

const full: Sink = { deliver: () => false }
const sink: Sink = { deliver: () => true }

test('a write that fails because its link broke, before the end of the link is known, is no answer to the request', async () => {
  let isBroken = true
  const { subscriptions, registry, log } = create(() =>
    isBroken ? Promise.reject(new DisconnectedError('broke while sending')) : Promise.resolve(),
  )
  const first = fakeLink()
  subscriptions.up(first.link)
  const feed = subscriptions.add(['a'], sink, {})
  await nextTurn()
  expect(registry.size).toBe(1)
  first.end()
  subscriptions.down()
  isBroken = false
  const second = fakeLink()
  await subscriptions.restore(second.link)
  subscriptions.up(second.link)
  await feed.live
  expect(log).toEqual(['sub a', 'sub a', 'restored a'])
})

test('a refused subscription that had no room hold nothing back any more', async () => {
  let refuse: () => void = () => {}
  const { subscriptions, registry, log } = create(
    () => new Promise((_, reject) => (refuse = () => reject(new RejectedError('no')))),
  )
  subscriptions.up(fakeLink().link)
  const feed = subscriptions.add(['a'], full, {})
  registry.deliver(createEvent('a', 1), 0)
  expect(registry.held).toBe(1)
  await nextTurn()
  refuse()
  await expect(feed.live).rejects.toThrow('no')
  expect(registry.held).toBe(0)
  expect(log).toEqual(['sub a', 'released'])
})

test('reports a release only when the last full subscription has room again or is gone', async () => {
  const { subscriptions, registry, log } = create()
  subscriptions.up(fakeLink().link)
  const feeds = [subscriptions.add(['a'], full, {}), subscriptions.add(['a'], full, {})]
  await Promise.all(feeds.map(({ live }) => live))
  registry.deliver(createEvent('a', 1), 0)
  feeds[0]?.ready()
  expect(log).not.toContain('released')
  await feeds[1]?.unsubscribe()
  expect(log.filter((line) => line === 'released')).toHaveLength(1)
})

test('nothing counts as restored before there was a link that became ready', async () => {
  const { subscriptions, log } = create()
  const feed = subscriptions.add(['a'], sink, {})
  await subscriptions.restore(fakeLink().link)
  const { link } = fakeLink()
  await subscriptions.restore(link)
  subscriptions.up(link)
  await feed.live
  expect(log).toEqual(['sub a', 'sub a'])
})

test('unsubscribing without a link requests nothing, and neither does the next link', async () => {
  const { subscriptions, log } = create()
  const [a, b] = [subscriptions.add(['a'], sink, {}), subscriptions.add(['b'], sink, {})]
  await a.unsubscribe()
  const { link } = fakeLink()
  await subscriptions.restore(link)
  subscriptions.up(link)
  await b.live
  await expect(a.live).rejects.toMatchObject({ code: 'aborted' })
  expect(log).toEqual(['sub b'])
})

test('the server learns of all that end in one tick by one request', async () => {
  const { subscriptions, log } = create()
  subscriptions.up(fakeLink().link)
  const feeds = Array.from({ length: 5 }, (_, n) => subscriptions.add([`p${n}`], sink, {}))
  await Promise.all(feeds.map(({ live }) => live))
  log.length = 0
  await Promise.all(feeds.map((feed) => feed.unsubscribe()))
  expect(log).toEqual(['unsub p0 p1 p2 p3 p4'])
})

test('closing ends every wait, and lets nothing begin', async () => {
  const { subscriptions, registry } = create(() => new Promise(() => {}))
  subscriptions.up(fakeLink().link)
  const feed = subscriptions.add(['a'], sink, {})
  subscriptions.close(new ClosedError('closed'))
  await expect(feed.live).rejects.toThrow('closed')
  await expect(subscriptions.add(['b'], sink, {}).live).rejects.toThrow('closed')
  expect(registry.size).toBe(0)
  await feed.unsubscribe()
})

test('leaves no listener on the signal of a subscription that became live', async () => {
  const { subscriptions } = create()
  subscriptions.up(fakeLink().link)
  const abort = new AbortController()
  let listeners = 0
  const { signal } = abort
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--
    remove(...args)
  }
  await subscriptions.add(['a'], sink, { signal }).live
  expect(listeners).toBe(0)
})
