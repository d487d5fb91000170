import { createEvent } from '@bus/core'
import { channelDialect, serveChannels } from '@bus/test-support/websocket'
import type { WebSocketTransport } from '../src/index.ts'
import { frameHandlerProtocol } from '../src/protocol/index.ts'
import {
  collect,
  frameOf,
  leavesNothing,
  record,
  resources,
  serve,
  transportTo,
  until,
} from './harness.ts'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

describe('a clone of a transport', () => {
  test('connects to the same place in the same way, over a connection of its own', async () => {
    const server = await serve()
    const transport = transportTo(server, { headers: { 'x-who': 'me' }, protocols: ['v2'] })
    await transport.connect()
    await using copy = transport.clone()
    expect(copy.status.state).toBe('idle')
    await copy.connect()
    expect(server.connections).toHaveLength(2)
    const [first, second] = server.upgrades
    expect(second?.headers['x-who']).toBe('me')
    expect(second?.headers['sec-websocket-protocol']).toBe(first?.headers['sec-websocket-protocol'])
  })

  test('has figures, a queue and subscriptions of its own', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const mine = await collect(transport, 'a')
    await transport.publish(createEvent('a', 1))
    await using copy = transport.clone()
    expect(copy.stats()).toEqual({ sent: 0, resent: 0, received: 0, reconnects: 0 })
    expect(copy.backpressureStats().size).toBe(0)
    await copy.connect()
    server.connections[1]?.send(frameOf('a', 2))
    await until(() => copy.stats().received === 1, 'the copy gets it')
    expect(transport.stats().received).toBe(0)
    expect(mine.events).toEqual([])
  })

  test('lives on when the original ends, and the other way round', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    await using copy = transport.clone()
    await copy.connect()
    await transport.close()
    await expect(copy.publish(createEvent('a', 1))).resolves.toMatchObject({ status: 'sent' })
    await using another = transport.clone()
    await another.connect()
    await copy.close()
    expect(another.status.state).toBe('ready')
  })

  test('knows nothing of the failures of the original', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const transport = transportTo(server, {
      breaker: { failureThreshold: 1 },
      reconnect: { maxAttempts: 0 },
    })
    await expect(transport.connect({ retry: true })).rejects.toThrow('Gave up')
    expect(transport.breaker?.state).toBe('open')
    expect(transport.status).toMatchObject({ state: 'closed', cause: expect.anything() })
    await using copy = transport.clone()
    expect(copy.status).not.toHaveProperty('cause')
    expect(copy.breaker?.stats()).toMatchObject({ state: 'closed', failures: 0 })
    expect(copy.metrics().links).toMatchObject({ made: 0, reconnects: 0, failures: 0 })
    expect(copy.trace().transitions).toEqual([])
    expect(await copy.health()).toMatchObject({
      reasons: [expect.stringContaining('Not connected yet') as string],
    })
    await copy.connect()
    expect(server.live).toHaveLength(1)
  })

  test('goes where the override says', async () => {
    const server = await serve()
    const other = await serve()
    const transport = transportTo(server)
    await using copy = transport.clone({ url: other.url })
    await copy.connect()
    expect([server.upgradeAttempts, other.upgradeAttempts]).toEqual([0, 1])
  })
})

async function refused(check: Promise<void>): Promise<unknown> {
  return check.then(
    () => 'fine',
    (error: unknown) => (error as { readonly code: string }).code,
  )
}

describe('checking the connectivity', () => {
  test('connects, closes and leaves the transport as it was', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const notices = record(transport)
    const before = resources()
    await transport.validateConnectivity()
    expect(server.connections).toHaveLength(1)
    await expect(server.connections[0]?.waitForClose()).resolves.toMatchObject({ code: 1000 })
    expect([transport.status.state, notices]).toEqual(['idle', []])
    await leavesNothing(before)
  })

  test('reports why there is no connection, at once, although the transport would try on', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await server.close()
    expect(await refused(transport.validateConnectivity())).toBe('connection')
    expect(server.upgradeAttempts).toBe(0)
    expect(transport.status.state).toBe('idle')
  })

  test('reports a refusal of the server', async () => {
    const server = await serve({ path: '/events' })
    const transport = transportTo({ url: `${server.url.replace('/events', '')}/other` })
    expect(await refused(transport.validateConnectivity())).toBe('handshake')
    expect(server.upgradeAttempts).toBe(1)
  })

  test('authenticates and sends the frames of onOpen', async () => {
    const server = await serveChannels()
    const transport = transportTo(server, {
      protocol: channelDialect({ token: 't' }),
      onOpen: () => [JSON.stringify({ event_type: 'hello' })],
    })
    await transport.validateConnectivity()
    await until(() => server.log.length === 2, 'both came')
    expect(server.log).toEqual(['auth', 'event hello'])
  })

  test('gives up after its time limit, and leaves nothing behind', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server)
    const before = resources()
    expect(await refused(transport.validateConnectivity({ timeoutMs: 30 }))).toBe('timeout')
    await leavesNothing(before)
  })

  test('takes no longer than ten seconds unless an option says otherwise', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server, { timeouts: { connectMs: 60_000 } })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    let outcome: unknown = 'pending'
    const check = refused(transport.validateConnectivity()).then((code) => (outcome = code))
    while (server.upgradeAttempts === 0) await nextTurn()
    vi.advanceTimersByTime(9_999)
    await nextTurn()
    expect(outcome).toBe('pending')
    vi.advanceTimersByTime(1)
    expect(await check).toBe('timeout')
  })

  test('gives up by its signal, and does not begin with one that has aborted', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const gone = AbortSignal.abort()
    expect(await refused(transport.validateConnectivity({ signal: gone }))).toBe('aborted')
    expect(server.upgradeAttempts).toBe(0)
    server.faults.hangUpgrade()
    const abort = new AbortController()
    const check = refused(transport.validateConnectivity({ signal: abort.signal }))
    await until(() => server.upgradeAttempts === 1, 'it dials')
    abort.abort()
    expect(await check).toBe('aborted')
  })

  test('refuses options that it does not know', async () => {
    const transport: WebSocketTransport = transportTo({ url: 'ws://127.0.0.1:1' })
    expect(await refused(transport.validateConnectivity({ timeoutMs: 0 }))).toBe('config')
    const wrong = { timeout: 5 } as { readonly timeoutMs?: number }
    await expect(transport.validateConnectivity(wrong)).rejects.toThrow('did you mean `timeoutMs`?')
  })
})

describe('a clone of a transport whose protocol keeps state', () => {
  test('has state of its own', async () => {
    const server = await serve()
    const protocol = frameHandlerProtocol({
      init: () => 0,
      handle: (_frame, count: number) => ({
        emit: { type: 'count', payload: count + 1 },
        state: count + 1,
      }),
    })
    const transport = transportTo(server, { protocol })
    const mine = await collect(transport)
    server.connections[0]?.send('x')
    await until(() => mine.events.length === 1, 'it counts')
    await using copy = transport.clone()
    const theirs = await collect(copy)
    server.inject('x')
    await until(() => mine.events.length === 2 && theirs.events.length === 1, 'both count')
    expect([mine.payloads, theirs.payloads]).toEqual([[1, 2], [1]])
  })
})
