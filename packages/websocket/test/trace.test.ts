import { createBus } from '@bus/core'
import { memoryTransport } from '@bus/core/memory'
import { expect, test } from 'vitest'
import { cut, serve, transportTo, until } from './harness.ts'

test('the trace of a transport has its changes of state in order, from the first dial to the end', async () => {
  const server = await serve()
  server.faults.refuse(503, { times: 1 })
  const transport = transportTo(server)
  expect(transport.trace()).toMatchObject({ state: 'idle', transitions: [], reconnects: 0 })
  await transport.connect({ retry: true })
  await cut(server, transport)
  await until(() => transport.stats().reconnects === 1, 'the next link')
  await transport.close()
  const { transitions } = transport.trace()
  expect(transitions.map(({ to }) => to)).toEqual([
    'connecting',
    'backoff',
    'connecting',
    'bootstrapping',
    'ready',
    'backoff',
    'connecting',
    'bootstrapping',
    'ready',
    'closed',
  ])
  for (const [n, { from, atMs, lastedMs }] of transitions.entries()) {
    expect(from).toBe(transitions[n - 1]?.to ?? 'idle')
    expect(atMs).toBeCloseTo((transitions[n - 1]?.atMs ?? 0) + lastedMs, 3)
  }
  expect(transitions[1]).toMatchObject({ cause: { code: 'handshake' }, details: { attempt: 1 } })
  expect(transitions.at(-1)?.cause).toBe(undefined)
})

test('its statistics show uptime, reconnects, failures and the time in each state', async () => {
  const server = await serve()
  server.faults.refuse(503, { times: 2 })
  const transport = transportTo(server)
  await transport.connect({ retry: true })
  await cut(server, transport)
  await until(() => transport.stats().reconnects === 1, 'the next link')
  const trace = transport.trace()
  expect(trace).toMatchObject({
    state: 'ready',
    reconnects: 1,
    failures: 2,
    forgotten: 0,
    states: {
      connecting: { entered: 4 },
      ready: { entered: 2 },
      backoff: { entered: 3 },
    },
  })
  expect(trace.uptimeMs).toBeGreaterThanOrEqual(0)
  expect(trace.uptimeMs).toBeLessThanOrEqual(trace.ageMs)
  const total = Object.values(trace.states).reduce((sum, { totalMs }) => sum + totalMs, 0)
  expect(total).toBeCloseTo(trace.ageMs, 3)
  expect(Math.abs(Date.parse(trace.startedAt) + trace.ageMs - Date.now())).toBeLessThan(5_000)
})

test('it is exported as JSON without loss', async () => {
  const server = await serve()
  server.faults.refuse(503, { times: 1 })
  const transport = transportTo(server)
  await transport.connect({ retry: true })
  const trace = transport.trace()
  expect(JSON.parse(JSON.stringify(trace))).toEqual(trace)
})

test('it keeps the latest hundred changes, however long a server refuses', async () => {
  const server = await serve()
  server.faults.refuse(503)
  const transport = transportTo(server, { reconnect: { backoff: () => 0 }, breaker: false })
  await until(() => {
    void transport.connect().catch(() => {})
    return transport.trace().forgotten >= 10
  }, 'more than a hundred changes')
  const { transitions, failures, states } = transport.trace()
  expect(transitions).toHaveLength(100)
  expect(failures).toBeGreaterThan(50)
  expect(states.connecting?.entered).toBeGreaterThan(50)
})

test('a bus shows the trace of its transport, where that keeps one', async () => {
  const server = await serve()
  const bus = createBus({ transport: transportTo(server) })
  await bus.connect()
  expect(bus.trace()?.transitions.at(-1)?.to).toBe('ready')
  await using plain = createBus({ transport: memoryTransport() })
  expect(plain.trace()).toBe(undefined)
  expect(plain.metrics()).toMatchObject({ subscriptions: [], deadLetters: { size: 0 } })
  expect(plain.metrics().transport).toBe(undefined)
})
