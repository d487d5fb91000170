import { plainJson } from '../src/protocol/index.ts'
import { createEvent } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  supervise,
  webSocketTransport,
  type Supervisor,
  type WebSocketTransport,
} from '../src/index.ts'
import { FakeClock } from './fake-clock.ts'
import { Collector, frameOf, serve, transportTo, until } from './harness.ts'

type Server = Awaited<ReturnType<typeof serve>>

/** A transport that ends with its first loss. */
const fragile = (server: Server): WebSocketTransport =>
  webSocketTransport({ url: server.url, protocol: plainJson(), reconnect: false })

function watched<T extends Supervisor<WebSocketTransport>>(supervisor: T): T {
  onTestFinished(() => supervisor.stop())
  return supervisor
}

describe('supervise', () => {
  test('starts a transport again that gave up, with its subscriptions', async () => {
    const server = await serve()
    const sink = new Collector()
    const supervisor = watched(
      supervise(() => fragile(server), {
        onStart: (transport) => void transport.subscribe([], sink),
      }),
    )
    for (let n = 1; n <= 3; n++) {
      await until(() => supervisor.transport.status.state === 'ready', 'ready')
      server.inject(frameOf('a', n))
      await until(() => sink.events.length === n, 'the event arrives')
      server.faults.reset()
      await until(() => supervisor.restarts === n, 'restarted')
    }
    expect(sink.payloads).toEqual([1, 2, 3])
  })

  test('gives up after as many restarts within the time as are permitted', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const starts: number[] = []
    const supervisor = watched(
      supervise(() => fragile(server), {
        maxRestarts: 3,
        onStart: (transport, restarts) => {
          starts.push(restarts)
          transport.connect().catch(() => {})
        },
      }),
    )
    await expect(supervisor.closed).rejects.toMatchObject({
      code: 'attempts-exhausted',
      cause: { code: 'handshake', status: 503 },
    })
    expect(starts).toEqual([0, 1, 2, 3])
  })

  test('forgets a restart when the time is over', async () => {
    const server = await serve()
    const clock = new FakeClock()
    const supervisor = watched(
      supervise(() => fragile(server), {
        maxRestarts: 1,
        withinMs: 1_000,
        clock,
        onStart: (transport) => void transport.connect().catch(() => {}),
      }),
    )
    for (let n = 1; n <= 3; n++) {
      await until(() => supervisor.transport.status.state === 'ready', 'ready')
      server.faults.reset()
      await until(() => supervisor.restarts === n, 'restarted')
      clock.advance(1_000)
    }
  })

  test('does not count a reconnect on request, which keeps the transport and its subscriptions', async () => {
    const server = await serve()
    const sink = new Collector()
    const supervisor = watched(
      supervise(() => transportTo(server), {
        onStart: (transport) => void transport.subscribe([], sink),
      }),
    )
    const { transport } = supervisor
    await transport.connect()
    await transport.reconnect()
    await until(() => server.live.length === 1, 'the old link is gone')
    server.inject(frameOf('a', 1))
    await until(() => sink.events.length === 1, 'the event arrives')
    expect(supervisor.transport).toBe(transport)
    expect(supervisor.restarts).toBe(0)
    expect(server.connections).toHaveLength(2)
  })

  test('leaves a transport closed that was closed from outside', async () => {
    const server = await serve()
    const supervisor = watched(supervise(() => fragile(server)))
    await supervisor.transport.publish(createEvent('a', 1))
    await supervisor.transport.close()
    await supervisor.closed
    expect(supervisor.restarts).toBe(0)
  })

  test('stops in the middle of an end without starting another', async () => {
    const server = await serve()
    const supervisor = watched(supervise(() => fragile(server)))
    const { transport } = supervisor
    await transport.connect()
    transport.on('close', () => void supervisor.stop())
    server.faults.reset()
    await supervisor.closed
    expect(supervisor.restarts).toBe(0)
    expect(transport.status.state).toBe('closed')
    await supervisor.stop()
  })

  test('rejects with what the factory throws at a restart', async () => {
    const server = await serve()
    let calls = 0
    const supervisor = watched(
      supervise(() => {
        if (calls++ > 0) throw new Error('no more')
        return fragile(server)
      }),
    )
    await supervisor.transport.connect()
    server.faults.reset()
    await expect(supervisor.closed).rejects.toThrow('no more')
  })

  test('closes the transport whose onStart throws', async () => {
    const server = await serve()
    let made: WebSocketTransport | undefined
    const start = (): unknown =>
      supervise(() => (made = fragile(server)), {
        onStart: () => {
          throw new Error('mistake')
        },
      })
    expect(start).toThrow('mistake')
    await until(() => made?.status.state === 'closed', 'closed')
  })

  test.each([
    ['maxRestarts', { maxRestarts: -1 }],
    ['withinMs', { withinMs: 0 }],
    ['onStart', { onStart: 1 as never }],
    ['clock', { clock: {} as never }],
  ])('refuses a wrong %s', (path, options) => {
    const factory = (): never => {
      throw new Error('called')
    }
    expect(() => supervise(factory, options)).toThrow(
      expect.objectContaining({ code: 'config', path }) as Error,
    )
  })
})
