import { createEvent } from '@bus/core'
import { expect, test } from 'vitest'
import { collect, frameOf, serve, transportTo, until } from './harness.ts'

test('publishes an event as one JSON text frame and resolves when it was sent', async () => {
  const server = await serve()
  const transport = transportTo(server)
  const event = createEvent('order.created', { total: 3 }, { id: 'evt-1', timestamp: 0 })
  await expect(transport.publish(event)).resolves.toEqual({
    id: 'evt-1',
    status: 'sent',
    attempts: 1,
  })
  const message = await server.waitForMessage({ id: 'evt-1' })
  expect(JSON.parse(String(message.data))).toEqual({
    id: 'evt-1',
    event_type: 'order.created',
    payload: { total: 3 },
    metadata: { timestamp: '1970-01-01T00:00:00.000Z' },
  })
})

test('delivers an event from the server to every subscription that matches', async () => {
  const server = await serve()
  const transport = transportTo(server)
  const orders = await collect(transport, 'order.*')
  const everything = await collect(transport)
  const users = await collect(transport, 'user.created')
  server.inject(frameOf('order.created', { n: 1 }))
  await until(() => everything.events.length === 1, 'the event arrives')
  expect(orders.payloads).toEqual([{ n: 1 }])
  expect(users.events).toEqual([])
})

test('makes a new link when the old one breaks, and its subscriptions live on', async () => {
  const server = await serve()
  const transport = transportTo(server)
  const all = await collect(transport)
  server.faults.reset()
  await server.waitForConnection({ index: 1 })
  await until(() => transport.status.state === 'ready', 'ready again')
  server.inject(frameOf('order.created', 2))
  await until(() => all.events.length === 1, 'the event arrives')
  expect(transport.stats().reconnects).toBe(1)
})
