import { describe, expect, test } from 'vitest'
import { TimeoutError } from '../contract/errors.ts'
import { InMemoryMetrics, reasonOfError } from './metrics.ts'

function fail(metrics: InMemoryMetrics, reason: string): void {
  metrics.onError({ kind: 'connection', reason, error: new Error(reason) })
}

describe('counters', () => {
  test('count links that were upgraded, opened and closed, and how many are open', () => {
    const metrics = new InMemoryMetrics()
    for (let n = 0; n < 2; n++) {
      metrics.onConnection({ event: 'upgraded', durationMs: 3 })
      metrics.onConnection({ event: 'opened', durationMs: 5, reconnected: n > 0 })
    }
    metrics.onConnection({ event: 'closed', durationMs: 9, code: 1000, wasClean: true })
    expect(metrics.snapshot().connections).toEqual({ upgraded: 2, opened: 2, closed: 1, open: 1 })
  })

  test('count messages and bytes of both directions', () => {
    const metrics = new InMemoryMetrics()
    metrics.onMessage({ direction: 'sent', bytes: 10, binary: false })
    metrics.onMessage({ direction: 'sent', bytes: 5, binary: true })
    metrics.onMessage({ direction: 'received', bytes: 7, binary: false })
    const { sent, received } = metrics.snapshot()
    expect({ sent, received }).toEqual({
      sent: { messages: 2, bytes: 15 },
      received: { messages: 1, bytes: 7 },
    })
  })

  test('count errors by reason', () => {
    const metrics = new InMemoryMetrics()
    for (const reason of ['handshake', 'timeout', 'handshake']) fail(metrics, reason)
    expect(metrics.snapshot().errors).toEqual({ handshake: 2, timeout: 1 })
  })

  test('count a hundred reasons one by one, and the rest as other', () => {
    const metrics = new InMemoryMetrics()
    for (let n = 0; n < 150; n++) fail(metrics, `reason-${n}`)
    fail(metrics, 'reason-3')
    expect(metrics.get('errors.other')).toBe(50)
    expect(metrics.get('errors.reason-3')).toBe(2)
    expect(Object.keys(metrics.snapshot().errors)).toHaveLength(101)
  })

  test('count publishes by outcome, with the latency of those that succeeded', () => {
    const metrics = new InMemoryMetrics()
    metrics.onPublish({ durationMs: 4, outcome: 'confirmed' })
    metrics.onPublish({ durationMs: 2, outcome: 'sent' })
    metrics.onPublish({ durationMs: 5_000, outcome: 'failed' })
    expect(metrics.snapshot().publishes).toEqual({
      sent: 1,
      confirmed: 1,
      failed: 1,
      latency: { count: 2, p50: 2, p99: 4, last: 2 },
    })
  })
})

describe('one figure', () => {
  test('is found by its path', () => {
    const metrics = new InMemoryMetrics()
    metrics.onMessage({ direction: 'received', bytes: 7, binary: false })
    fail(metrics, 'a.dotted.reason')
    expect(metrics.get('received.bytes')).toBe(7)
    expect(metrics.get('errors.a.dotted.reason')).toBe(1)
  })

  test.each(['errors.none', 'publishes.latency.p99', 'nothing', 'sent', 'sent.constructor', ''])(
    'that is missing, such as %j, is the default',
    (path) => {
      const metrics = new InMemoryMetrics()
      expect(metrics.get(path)).toBe(0)
      expect(metrics.get(path, -1)).toBe(-1)
    },
  )
})

test('reset counts from 0 again, and what is open stays open', () => {
  const metrics = new InMemoryMetrics()
  metrics.onConnection({ event: 'opened', durationMs: 5, reconnected: false })
  metrics.onMessage({ direction: 'sent', bytes: 10, binary: false })
  metrics.onPublish({ durationMs: 4, outcome: 'confirmed' })
  fail(metrics, 'timeout')
  metrics.reset()
  const empty = new InMemoryMetrics().snapshot()
  expect(metrics.snapshot()).toEqual({
    ...empty,
    connections: { ...empty.connections, open: 1 },
  })
})

test('two collectors know nothing of each other', () => {
  const [one, other] = [new InMemoryMetrics(), new InMemoryMetrics()]
  one.onMessage({ direction: 'sent', bytes: 10, binary: false })
  expect(other.get('sent.messages')).toBe(0)
})

test('a snapshot does not change any more, and is JSON without loss', () => {
  const metrics = new InMemoryMetrics()
  const before = metrics.snapshot()
  metrics.onMessage({ direction: 'sent', bytes: 10, binary: false })
  expect(before.sent.messages).toBe(0)
  expect(JSON.parse(JSON.stringify(metrics.snapshot()))).toEqual(metrics.snapshot())
})

test('the reason of an error is its code, else its name', () => {
  const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' })
  expect([new TimeoutError('slow'), refused, new TypeError('bad')].map(reasonOfError)).toEqual([
    'timeout',
    'ECONNREFUSED',
    'TypeError',
  ])
})
