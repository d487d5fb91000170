import { backoff, createEvent } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { leavesNothing, only, record, resources, serve, transportTo, until } from './harness.ts'

describe('a server that refuses every connection', () => {
  test('opens the breaker; publishes that must not wait then fail at once, and once it is back the breaker closes without any publish', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, {
      whenDisconnected: 'reject',
      breaker: { failureThreshold: 3, openMs: 60, successThreshold: 2 },
      reconnect: { stableAfterMs: 20 },
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
    expect(transport.status).toMatchObject({ state: 'backoff', delayMs: 60 + 5 })
    server.faults.clear()
    await until(() => transport.breaker?.state === 'closed', 'the breaker closes')
    expect(transport.status.state).toBe('ready')
    expect(only(notices, 'breaker')).toEqual([
      { state: 'open', previous: 'closed' },
      { state: 'half-open', previous: 'open' },
      { state: 'closed', previous: 'half-open' },
    ])
  })

  test('gets one probe after the open time, and none before', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, {
      breaker: { failureThreshold: 2, openMs: 80, successThreshold: 1 },
      reconnect: { backoff: () => 0 },
    })
    const opened: number[] = []
    transport.on('breaker', ({ state }) => {
      if (state === 'open') opened.push(server.upgradeAttempts)
    })
    transport.connect().catch(() => {})
    await until(() => opened.length === 3, 'it opens three times')
    expect(opened).toEqual([2, 3, 4])
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

  test('does not see the clients that gave up together come back together', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const delayWith = async (random: number): Promise<unknown> => {
      const transport = transportTo(server, {
        breaker: { failureThreshold: 1, openMs: 1_000 },
        reconnect: { backoff: backoff.exponential({ initialMs: 400, maxMs: 400, jitter: 'full' }) },
        random: () => random,
      })
      await transport.connect().catch(() => {})
      await until(() => transport.status.state === 'backoff', 'it waits')
      return transport.status
    }
    expect(await delayWith(0.25)).toMatchObject({ delayMs: 1_100 })
    expect(await delayWith(0.75)).toMatchObject({ delayMs: 1_300 })
  })

  test('is tried later than the open time alone by as much as the backoff says', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const transport = transportTo(server, {
      breaker: { failureThreshold: 1, openMs: 10, successThreshold: 1 },
      reconnect: { backoff: () => 300 },
    })
    const since = performance.now()
    await transport.connect({ retry: true })
    expect(performance.now() - since).toBeGreaterThan(300)
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

  test('can be tripped and reset by hand, which stops and starts the dialing', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    transport.breaker?.trip()
    server.faults.reset()
    await until(() => transport.status.state === 'backoff', 'backoff')
    await expect(transport.reconnect()).rejects.toMatchObject({ code: 'circuit-open' })
    expect(server.upgradeAttempts).toBe(1)
    await until(() => transport.status.state === 'backoff', 'backoff again')
    transport.breaker?.reset()
    await transport.connect({ retry: true })
    expect(server.upgradeAttempts).toBe(2)
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
