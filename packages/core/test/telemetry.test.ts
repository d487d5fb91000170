import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { expect, onTestFinished, test } from 'vitest'
import { InMemoryDeadLetterQueue, telemetry } from '../src/index.ts'
import { useBuses, until } from '@bus/test-support'

const makeBus = useBuses()

function trace(name: string): { readonly steps: string[]; readonly contexts: object[] } {
  const steps: string[] = []
  const contexts: object[] = []
  const channel = tracingChannel(name)
  const listeners = {
    start: (context: object) => {
      steps.push('start')
      contexts.push(context)
    },
    end: () => {},
    asyncStart: () => {},
    asyncEnd: () => void steps.push('asyncEnd'),
    error: () => void steps.push('error'),
  }
  channel.subscribe(listeners)
  onTestFinished(() => {
    channel.unsubscribe(listeners)
  })
  return { steps, contexts }
}

test('a publish and the handling of its event are traced from start to end', async () => {
  const published = trace('bus.publish')
  const delivered = trace('bus.deliver')
  const bus = makeBus()
  const subscription = await bus.subscribe('order.created', () => {})
  await bus.publish('order.created', { total: 3 })
  await until(() => delivered.steps.length === 2)
  expect(published.steps).toEqual(['start', 'asyncEnd'])
  expect(published.contexts).toMatchObject([
    { transport: 'memory', event: { payload: { total: 3 } } },
  ])
  expect(delivered.contexts).toMatchObject([
    { subscription: subscription.id, attempt: 1, event: { type: 'order.created' } },
  ])
})

test('a handler that fails is traced as an error, once per attempt', async () => {
  const delivered = trace('bus.deliver')
  const bus = makeBus()
  await bus.subscribe('order.created', () => Promise.reject(new Error('no')), {
    errorPolicy: { strategy: 'drop', retry: { attempts: 2, backoff: () => 0 } },
  })
  await bus.publish('order.created', 1)
  await until(() => delivered.steps.filter((step) => step === 'error').length === 2)
  expect(delivered.contexts).toMatchObject([{ attempt: 1 }, { attempt: 2 }])
})

/** What is published under the name while the test runs. */
function heardOn(name: string): unknown[] {
  const heard: unknown[] = []
  const note = (message: unknown): void => void heard.push(message)
  subscribe(name, note)
  onTestFinished(() => void unsubscribe(name, note))
  return heard
}

const fails = (): never => {
  throw new Error('no')
}

test('a bus publishes under its own prefix, its dead letters included', async () => {
  const published = trace('shop.publish')
  const delivered = trace('shop.deliver')
  const [letters, errors] = [heardOn('shop.dead-letter'), heardOn('shop.error')]
  const others = [trace('bus.publish').steps, heardOn('bus.dead-letter'), heardOn('bus.error')]
  const bus = makeBus({ telemetry: { prefix: 'shop' } })
  await bus.subscribe('order.created', fails)
  await bus.publish('order.created', 1)
  await until(() => letters.length === 1)
  expect(published.steps).toEqual(['start', 'asyncEnd'])
  expect(delivered.steps).toContain('error')
  expect(letters).toMatchObject([{ action: 'added', reason: 'handler' }])
  expect(errors).toMatchObject([{ kind: 'handler', source: 'memory' }])
  expect(others).toEqual([[], [], []])
})

test('a queue of dead letters of its own has a prefix of its own', () => {
  const letters = heardOn('own.dead-letter')
  const queue = new InMemoryDeadLetterQueue({ telemetry: { prefix: 'own' } })
  const error = new Error('no')
  queue.add({ reason: 'handler', direction: 'inbound', attempts: 1, error }, 'test')
  expect(letters).toMatchObject([{ action: 'added', source: 'test' }])
})

test('a prefix that is none is refused by the name of the option', () => {
  expect(() => makeBus({ telemetry: { prefix: 'a b' } })).toThrow(/`telemetry.prefix`/)
  expect(() => new InMemoryDeadLetterQueue({ telemetry: { prefix: '' } })).toThrow(
    /`telemetry.prefix`/,
  )
})

test('what is given up is reported once, also when the bus has no listener', async () => {
  const drops = heardOn('bus.drop')
  const bus = makeBus()
  await bus.subscribe('order.created', fails)
  await bus.publish('order.created', 1)
  await until(() => drops.length === 1)
  expect(Object.keys(drops[0] as object).toSorted()).toEqual(telemetry.payloads['bus.drop'])
})
