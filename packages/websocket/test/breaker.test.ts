import { createEvent } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { leavesNothing, only, record, resources, serve, transportTo, until } from './harness.ts'

describe('a server that refuses every connection', () => {
  test('opens the breaker; publishes that must not wait then fail at once, and once it is back the breaker closes without any publish', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, {
      whenDisconnected: 'reject',
      breaker: { failureThreshold: 3, successThreshold: 2 },
      reconnect: { stableAfterMs: 20, backoff: (failures) => (failures < 3 ? 5 : 1_000) },
    })
    const notices = record(transport)
    transport.connect().catch(() => {})
    await until(() => transport.breaker?.state === 'open', 'the breaker opens')
    expect(server.upgradeAttempts).toBe(3)
    expect(transport.breaker?.stats()).toMatchObject({ state: 'open', failures: 3, total: 3 })
    await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({
      code: 'circuit-open',
      outcome: 'not-sent',
      retryable: true,
    })
    expect(transport.breaker?.stats()).toMatchObject({ total: 4, rejected: 1 })
    expect(transport.status).toMatchObject({ state: 'backoff', delayMs: 1_000 })
    server.faults.clear()
    await until(() => transport.breaker?.state === 'closed', 'the breaker closes')
    expect(transport.status.state).toBe('ready')
    expect(only(notices, 'breaker')).toEqual([
      { state: 'open', previous: 'closed' },
      { state: 'half-open', previous: 'open' },
      { state: 'closed', previous: 'half-open' },
    ])
  })

  test('is dialed whenever the backoff says so, however long the breaker would stay open', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, {
      breaker: { failureThreshold: 2, openMs: 600_000, successThreshold: 1 },
    })
    const states: string[] = []
    const delays: number[] = []
    transport.on('breaker', ({ state }) => states.push(state))
    transport.on('status', ({ status }) => {
      if (status.state === 'backoff') delays.push(status.delayMs)
    })
    transport.connect().catch(() => {})
    await until(() => server.upgradeAttempts >= 5, 'three attempts of an open breaker')
    server.faults.clear()
    await transport.connect({ retry: true })
    expect(states.slice(0, 6)).toEqual([
      'open',
      'half-open',
      'open',
      'half-open',
      'open',
      'half-open',
    ])
    expect(new Set(delays)).toEqual(new Set([5]))
  })

  test('that requires us to stay away for longer than the open time is left alone for that long', async () => {
    const server = await serve()
    const transport = transportTo(server, {
      breaker: { failureThreshold: 1, openMs: 10, successThreshold: 1 },
    })
    server.faults.refuse(503, { retryAfterSeconds: 1, times: 1 })
    const since = performance.now()
    await transport.connect({ retry: true })
    expect(performance.now() - since).toBeGreaterThan(900)
  })

  test('may still be waited for by publishers that are allowed to wait [F124]', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const transport = transportTo(server, {
      breaker: { failureThreshold: 1, openMs: 20, successThreshold: 1 },
    })
    await expect(transport.publish(createEvent('a', 1))).resolves.toMatchObject({ status: 'sent' })
  })
})

describe('the breaker', () => {
  test('stays half-open until a link lasted, with as many successes as it takes', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const transport = transportTo(server, {
      breaker: { failureThreshold: 1, openMs: 10, successThreshold: 5 },
      reconnect: { stableAfterMs: 50 },
    })
    await transport.connect({ retry: true })
    expect(transport.breaker?.state).toBe('half-open')
    expect(await transport.health()).toMatchObject({
      status: 'degraded',
      breaker: 'half-open',
      reasons: ['The circuit breaker is half-open'],
    })
    await until(() => transport.breaker?.state === 'closed', 'closed')
    expect(await transport.health()).toMatchObject({ status: 'up' })
  })

  test('counts failures however far apart they are [F112]', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, {
      breaker: { failureThreshold: 3, openMs: 60_000, successThreshold: 1 },
      reconnect: { backoff: () => 60_000 },
    })
    await transport.connect().catch(() => {})
    for (let n = 2; n <= 3; n++) await transport.reconnect().catch(() => {})
    expect(transport.breaker?.state).toBe('open')
  })

  test('does not count events that cannot be written, nor publishers that stop waiting [F124]', async () => {
    const server = await serve()
    const transport = transportTo(server, {
      breaker: { failureThreshold: 1, openMs: 60_000, successThreshold: 1 },
    })
    await transport.connect()
    await expect(transport.publish(createEvent('a', 1n))).rejects.toMatchObject({
      code: 'serialization',
    })
    const signal = AbortSignal.abort()
    await expect(transport.publish(createEvent('a', 1), { signal })).rejects.toMatchObject({
      code: 'aborted',
    })
    expect(transport.breaker?.stats()).toMatchObject({ state: 'closed', failures: 0 })
  })

  test('can be tripped and reset by hand, which refuses publishes until the next attempt or the reset, and delays no dialing', async () => {
    const server = await serve()
    const transport = transportTo(server, {
      whenDisconnected: 'reject',
      reconnect: { backoff: () => 60_000 },
      breaker: { successThreshold: 1 },
    })
    const refusal = (): Promise<unknown> =>
      transport.publish(createEvent('a', 1)).catch(({ code }: { code: string }) => code)
    await transport.connect()
    server.faults.reset()
    await until(() => transport.status.state === 'backoff', 'backoff')
    transport.breaker?.trip()
    await expect(refusal()).resolves.toBe('circuit-open')
    transport.breaker?.reset()
    await expect(refusal()).resolves.toBe('disconnected')
    transport.breaker?.trip()
    await transport.reconnect()
    expect(server.upgradeAttempts).toBe(2)
    expect(transport.breaker?.state).toBe('closed')
  })

  test('switched off is not there, and every attempt is made', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 10 })
    const transport = transportTo(server, { breaker: false })
    expect(transport.breaker).toBeUndefined()
    await transport.connect({ retry: true })
    expect(server.upgradeAttempts).toBe(11)
    expect(await transport.health()).not.toHaveProperty('breaker')
  })

  test('that is open keeps no timer after close [F114]', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const before = resources()
    const transport = transportTo(server, {
      breaker: { failureThreshold: 1, openMs: 60_000, successThreshold: 1 },
    })
    await transport.connect().catch(() => {})
    await transport.close()
    await expect(leavesNothing(before)).resolves.toBeUndefined()
  })
})
