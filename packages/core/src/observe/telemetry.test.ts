import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createEvent } from '../contract/event.ts'
import { telemetry } from './telemetry.ts'

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

describe('names', () => {
  test('they are a promise', () => {
    expect(telemetry.names).toEqual([
      'bus.breaker',
      'bus.connect',
      'bus.dead-letter',
      'bus.deliver',
      'bus.drop',
      'bus.error',
      'bus.publish',
      'bus.reconnect',
      'bus.status',
    ])
  })

  test('each notice is published under its own name', () => {
    for (const name of [
      'bus.breaker',
      'bus.dead-letter',
      'bus.drop',
      'bus.error',
      'bus.reconnect',
      'bus.status',
    ] as const) {
      expect(telemetry.channel(name).name).toBe(name)
      expect(telemetry.channel(name)).toBe(telemetry.channel(name))
    }
  })
})

describe('notices', () => {
  test('a payload is made only when somebody has subscribed', () => {
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
  test('an operation is traced only while somebody has subscribed to one of its events', () => {
    const operation = telemetry.operation('bus.connect')
    for (const step of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
      expect(operation.isTraced).toBe(false)
      const name = `tracing:bus.connect:${step}`
      subscribe(name, ignore)
      expect(operation.isTraced).toBe(true)
      unsubscribe(name, ignore)
    }
    expect(operation.isTraced).toBe(false)
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
