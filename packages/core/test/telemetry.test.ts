import { tracingChannel } from 'node:diagnostics_channel'
import { expect, onTestFinished, test } from 'vitest'
import { useBuses } from './support/buses.ts'
import { until } from './support/until.ts'

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
    errorPolicy: { strategy: 'drop', retry: { attempts: 1, backoff: () => 0 } },
  })
  await bus.publish('order.created', 1)
  await until(() => delivered.steps.filter((step) => step === 'error').length === 2)
  expect(delivered.contexts).toMatchObject([{ attempt: 1 }, { attempt: 2 }])
})
