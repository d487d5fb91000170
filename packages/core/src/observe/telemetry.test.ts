import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createEvent } from '../contract/event.ts'
import { telemetry, telemetryOf, type TelemetryNotices } from './telemetry.ts'

const event = createEvent('order.created', 1)

const ignore = (): void => {}

/** What is published under the name while the test runs. */
function heardOn(name: string): unknown[] {
  const heard: unknown[] = []
  const note = (message: unknown): void => void heard.push(message)
  subscribe(name, note)
  onTestFinished(() => void unsubscribe(name, note))
  return heard
}

/** Publishes as a publisher should: the payload is made only when somebody wants it. */
function drop(payloads: { made: number }): void {
  const channel = telemetry.channel('bus.drop')
  if (!channel.hasSubscribers) return
  payloads.made++
  channel.publish({ source: 'shop', reason: 'dropped', event })
}

const NAMES = Object.keys(telemetry.payloads) as (keyof TelemetryNotices)[]

describe('names', () => {
  test('and the keys of what they carry are a promise', () => {
    expect(telemetry.payloads).toMatchInlineSnapshot(`
      {
        "bus.breaker": [
          "id",
          "previous",
          "state",
          "transport",
        ],
        "bus.connect": [
          "attempt",
          "id",
          "transport",
        ],
        "bus.connection.close": [
          "code",
          "durationMs",
          "id",
          "initiatedBy",
          "reason",
          "transport",
          "wasClean",
        ],
        "bus.connection.failure": [
          "attempt",
          "error",
          "id",
          "transport",
        ],
        "bus.connection.handover": [
          "action",
          "id",
          "transport",
        ],
        "bus.connection.open": [
          "durationMs",
          "generation",
          "id",
          "protocol",
          "reconnected",
          "transport",
          "url",
        ],
        "bus.connection.timeout": [
          "id",
          "missed",
          "silentMs",
          "transport",
        ],
        "bus.connection.up": [
          "id",
          "transport",
          "value",
        ],
        "bus.connection.upgrade": [
          "attempt",
          "durationMs",
          "generation",
          "id",
          "transport",
        ],
        "bus.dead-letter": [
          "action",
          "event",
          "reason",
          "source",
        ],
        "bus.deliver": [
          "attempt",
          "event",
          "subscription",
        ],
        "bus.drop": [
          "event",
          "reason",
          "source",
        ],
        "bus.error": [
          "error",
          "kind",
          "source",
        ],
        "bus.message.received": [
          "binary",
          "bytes",
          "id",
          "transport",
        ],
        "bus.message.sent": [
          "binary",
          "bytes",
          "id",
          "transport",
        ],
        "bus.pool.failover": [
          "attempt",
          "error",
          "member",
          "pool",
        ],
        "bus.publish": [
          "event",
          "transport",
        ],
        "bus.rate.queued": [
          "cost",
          "id",
          "transport",
          "waitMs",
        ],
        "bus.rate.rejected": [
          "cost",
          "id",
          "retryAfterMs",
          "transport",
        ],
        "bus.reconnect": [
          "attempt",
          "cause",
          "delayMs",
          "id",
          "transport",
        ],
        "bus.status": [
          "id",
          "previous",
          "status",
          "transport",
        ],
        "bus.subscription.added": [
          "id",
          "patterns",
          "transport",
        ],
        "bus.subscription.failed": [
          "error",
          "id",
          "patterns",
          "transport",
        ],
        "bus.subscription.removed": [
          "id",
          "patterns",
          "transport",
        ],
        "bus.subscription.restored": [
          "id",
          "patterns",
          "transport",
        ],
      }
    `)
    expect(telemetry.names).toEqual(Object.keys(telemetry.payloads))
  })

  test('each notice is published under its own name', () => {
    const operations = ['bus.connect', 'bus.deliver', 'bus.publish']
    for (const name of NAMES.filter((each) => !operations.includes(each))) {
      expect(telemetry.channel(name).name).toBe(name)
      expect(telemetry.channel(name)).toBe(telemetry.channel(name))
    }
  })
})

describe("a prefix of one's own", () => {
  test('stands for `bus` in every name', () => {
    const shop = telemetryOf({ prefix: 'acme.shop' })
    expect(shop.prefix).toBe('acme.shop')
    expect(shop.channel('bus.drop').name).toBe('acme.shop.drop')
    expect(shop.names).toEqual(telemetry.names.map((name) => name.replace('bus', 'acme.shop')))
    expect(Object.values(shop.payloads)).toEqual(Object.values(telemetry.payloads))
  })

  test('keeps its notices and operations apart from all others', async () => {
    const shop = telemetryOf({ prefix: 'shop' })
    const [ours, theirs] = [heardOn('shop.drop'), heardOn('bus.drop')]
    shop.channel('bus.drop').publish({ source: 'shop', reason: 'dropped', event })
    expect([ours.length, theirs.length]).toEqual([1, 0])
    const started = heardOn('tracing:shop.publish:start')
    expect(shop.operation('bus.publish').channel.hasSubscribers).toBe(true)
    expect(telemetry.operation('bus.publish').channel.hasSubscribers).toBe(false)
    await shop.operation('bus.publish').trace(() => Promise.resolve(), { transport: 'm', event })
    expect(started).toHaveLength(1)
  })

  test('is `bus` by default', () => {
    expect(telemetryOf()).toBe(telemetry)
    expect(telemetryOf({ prefix: 'bus' })).toBe(telemetry)
  })

  test.each(['', 'a b', '.a', 'a.', 'a..b', 7])('%j is none', (prefix) => {
    expect(() => telemetryOf({ prefix } as never)).toThrow(/Expected `telemetry.prefix` to be/)
  })

  test('with an unknown option beside it is refused', () => {
    expect(() => telemetryOf({ prefx: 'a' } as never)).toThrow(
      /Unknown option `telemetry.prefx`: did you mean `prefix`/,
    )
  })
})

describe('notices', () => {
  test('a payload is made only when there is a subscriber', () => {
    const payloads = { made: 0 }
    drop(payloads)
    expect(payloads.made).toBe(0)
    const heard = heardOn('bus.drop')
    drop(payloads)
    expect(payloads.made).toBe(1)
    expect(heard).toEqual([{ source: 'shop', reason: 'dropped', event }])
  })
})

describe('operations', () => {
  test('an operation is traced only while one of its events has a subscriber', () => {
    const operation = telemetry.operation('bus.connect')
    for (const step of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
      expect(operation.channel.hasSubscribers).toBe(false)
      const name = `tracing:bus.connect:${step}`
      subscribe(name, ignore)
      expect(operation.channel.hasSubscribers).toBe(true)
      unsubscribe(name, ignore)
    }
    expect(operation.channel.hasSubscribers).toBe(false)
  })

  test('start, end of the wait and failure carry the same context', async () => {
    const steps: [string, unknown][] = []
    const note = (step: string) => (context: unknown) => void steps.push([step, context])
    const listeners = {
      start: note('start'),
      end: () => {},
      asyncStart: () => {},
      asyncEnd: note('asyncEnd'),
      error: note('error'),
    }
    tracingChannel('bus.publish').subscribe(listeners)
    onTestFinished(() => tracingChannel('bus.publish').unsubscribe(listeners))
    const operation = telemetry.operation('bus.publish')
    const good = { transport: 'memory', event }
    const bad = { transport: 'memory', event }
    expect(await operation.trace(() => Promise.resolve('done'), good)).toBe('done')
    const failure = new Error('no')
    await expect(operation.trace(() => Promise.reject(failure), bad)).rejects.toBe(failure)
    expect(steps.map(([step]) => step)).toEqual(['start', 'asyncEnd', 'start', 'error', 'asyncEnd'])
    expect(new Set(steps.map(([, context]) => context)).size).toBe(2)
    expect([good, bad]).toMatchObject([{ result: 'done' }, { error: failure }])
  })
})
