import { createEvent, type Undeliverable } from '@bus/core'
import { describe, expect, test } from 'vitest'
import type { WebSocketTransport } from '../src/index.ts'
import {
  collect,
  frameOf,
  leavesNothing,
  only,
  record,
  resources,
  serve,
  states,
  transportTo,
  until,
} from './harness.ts'

describe('the end of a link', () => {
  test.each([
    [1000, ''],
    [1001, 'moving'],
    [1012, 'restart'],
    [4503, 'grüße'],
  ])('by the server with %i %j is reported with exactly these, as remote', async (code, reason) => {
    const server = await serve()
    const transport = transportTo(server)
    const notices = record(transport)
    await transport.connect()
    server.disconnect(code, reason)
    await until(() => only(notices, 'open').length === 2, 'connected again')
    expect(only(notices, 'close')).toEqual([
      { code, reason, wasClean: true, initiatedBy: 'remote' },
    ])
  })

  test('by the server without a code is reported as 1005', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const notices = record(transport)
    await transport.connect()
    server.faults.sendRaw(Buffer.from([0x88, 0x00]))
    await until(() => only(notices, 'open').length === 2, 'connected again')
    expect(only(notices, 'close')).toEqual([
      { code: 1005, reason: '', wasClean: true, initiatedBy: 'remote' },
    ])
  })

  test('by a reset is reported once as 1006, not clean, and the status goes down once', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const notices = record(transport)
    await transport.connect()
    server.faults.reset()
    await until(() => only(notices, 'open').length === 2, 'connected again')
    expect(only(notices, 'close')).toEqual([
      { code: 1006, reason: '', wasClean: false, initiatedBy: 'remote' },
    ])
    expect(states(notices)).toEqual([
      'connecting',
      'bootstrapping',
      'ready',
      'backoff',
      'connecting',
      'bootstrapping',
      'ready',
    ])
  })

  test('by us reaches the server with our code and reason, and is reported as local, once', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const notices = record(transport)
    await transport.connect()
    await transport.close({ code: 4001, reason: 'enough' })
    const connection = await server.waitForConnection()
    expect(await connection.waitForClose()).toEqual({
      code: 4001,
      reason: 'enough',
      wasClean: true,
    })
    expect(only(notices, 'close')).toEqual([
      { code: 4001, reason: 'enough', wasClean: true, initiatedBy: 'local' },
    ])
    expect(states(notices).at(-1)).toBe('closed')
    expect(transport.status).toMatchObject({ state: 'closed', cause: undefined })
  })

  test.each([
    ['a code that may not be sent', { code: 1006 }, 1000],
    ['a reason that is too long', { reason: 'ü'.repeat(100) }, 1000],
  ])('by us with %s still is a closing handshake [F78]', async (_what, options, code) => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    await transport.close(options)
    const connection = await server.waitForConnection()
    expect(await connection.waitForClose()).toMatchObject({ code, wasClean: true })
  })
})

describe('a frame that breaks the rules', () => {
  test.each([
    ['a reserved bit', Buffer.from([0xf1, 0x00])],
    ['text that is no UTF-8', Buffer.from([0x81, 0x02, 0xc3, 0x28])],
    ['a frame cut in the middle of its header', Buffer.from([0x83, 0x7f])],
  ])(
    '%s is reported as the fault of the server, and the link is replaced',
    async (_what, bytes) => {
      const server = await serve()
      const transport = transportTo(server)
      const notices = record(transport)
      const all = await collect(transport)
      server.faults.sendRaw(bytes)
      await until(() => only(notices, 'open').length === 2, 'connected again')
      expect(only(notices, 'error')).toMatchObject([
        { kind: 'connection', error: { code: 'protocol', cause: { code: /^WS_ERR/ } } },
      ])
      server.inject(frameOf('a', 1))
      await until(() => all.events.length === 1, 'events flow again')
    },
  )

  test('a message above maxMessageBytes closes with 1009, is reported as such, and the link is replaced [F63]', async () => {
    const server = await serve()
    const transport = transportTo(server, { maxMessageBytes: 200 })
    const notices = record(transport)
    const all = await collect(transport)
    server.inject(frameOf('a', 'x'.repeat(300)))
    const first = await server.waitForConnection()
    expect(await first.waitForClose()).toMatchObject({ code: 1009 })
    await until(() => only(notices, 'open').length === 2, 'connected again')
    expect(only(notices, 'error')).toMatchObject([
      {
        error: { code: 'protocol', message: expect.stringContaining('maxMessageBytes') as string },
      },
    ])
    expect(only(notices, 'close')).toMatchObject([{ initiatedBy: 'local', wasClean: false }])
    server.inject(frameOf('a', 1))
    await until(() => all.events.length === 1, 'events flow again')
  })

  test('a message that is no event is reported, and the link stays up', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const notices = record(transport)
    const all = await collect(transport)
    for (const frame of ['{', '[]', '{"hello":1}', Buffer.from([0, 1, 2]), '']) server.inject(frame)
    server.inject(frameOf('a', 1))
    await until(() => all.events.length === 1, 'the event arrives')
    expect(only(notices, 'undeliverable').map(({ reason, raw }) => [reason, raw])).toHaveLength(5)
    expect(only(notices, 'error').every(({ kind }) => kind === 'decode')).toBe(true)
    expect(server.connections).toHaveLength(1)
  })
})

/** A transport in each state, and how to get it there. */
const STATES: Record<string, (server: Server) => Promise<WebSocketTransport>> = {
  idle: async (server) => transportTo(server),
  connecting: async (server) => {
    server.faults.hangUpgrade()
    const transport = transportTo(server)
    transport.connect().catch(() => {})
    await until(() => server.upgradeAttempts === 1, 'dialing')
    return transport
  },
  bootstrapping: async (server) => {
    const transport = transportTo(server, { onOpen: () => new Promise(() => {}) })
    transport.connect().catch(() => {})
    await until(() => transport.status.state === 'bootstrapping', 'bootstrapping')
    return transport
  },
  ready: async (server) => {
    const transport = transportTo(server)
    await transport.connect()
    return transport
  },
  backoff: async (server) => {
    server.faults.refuse(503)
    const transport = transportTo(server, { reconnect: { backoff: () => 60_000 } })
    await transport.connect().catch(() => {})
    await until(() => transport.status.state === 'backoff', 'backoff')
    return transport
  },
  'backoff behind an open breaker': async (server) => {
    server.faults.refuse(503)
    const transport = transportTo(server, { breaker: { failureThreshold: 1 } })
    await transport.connect().catch(() => {})
    await until(() => transport.status.state === 'backoff', 'backoff')
    return transport
  },
  draining: async (server) => {
    const transport = transportTo(server, {
      maxMessageBytes: 50_000_000,
      queue: { maxBytes: 50_000_000 },
      timeouts: { closeMs: 50 },
    })
    await transport.connect()
    server.faults.stall()
    transport.publish(createEvent('a', 'x'.repeat(20_000_000))).catch(() => {})
    void transport.drain()
    return transport
  },
  closed: async (server) => {
    const transport = transportTo(server)
    await transport.connect()
    await transport.close()
    return transport
  },
}
type Server = Awaited<ReturnType<typeof serve>>

describe.each(Object.entries(STATES))('close while %s', (name, reach) => {
  test('ends in closed, dials no more, leaves no timer and no socket, and may be repeated [F26, F39, F136, F137]', async () => {
    const server = await serve()
    const before = resources()
    const transport = await reach(server)
    expect(name.startsWith(transport.status.state)).toBe(true)
    const notices = record(transport)
    await Promise.all([transport.close(), transport.close()])
    await transport.close()
    expect(transport.status).toMatchObject({ state: 'closed', cause: undefined })
    const dials = server.upgradeAttempts
    server.faults.clear()
    await until(() => server.live.length === 0, 'the server sees it')
    await leavesNothing(before)
    expect(server.upgradeAttempts).toBe(dials)
    // Ending a dial of our own is no failure to report.
    expect(only(notices, 'error')).toEqual([])
  })
})

describe('a closed transport', () => {
  test('answers every question and refuses every request with a typed error', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.publish(createEvent('a', 1))
    await transport.close()
    const refused: Undeliverable[] = []
    transport.on('undeliverable', (notice) => refused.push(notice))
    expect(transport.status.state).toBe('closed')
    expect(transport.stats()).toMatchObject({ sent: 1, received: 0, reconnects: 0 })
    expect(transport.backpressureStats()).toMatchObject({ size: 0, sent: 1 })
    expect(await transport.health()).toMatchObject({ status: 'down', reasons: ['Closed'] })
    expect(await transport.health({ probe: true })).toMatchObject({ status: 'down' })
    expect(transport.breaker?.stats()).toMatchObject({ state: 'closed' })
    await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({
      code: 'closed',
      outcome: 'not-sent',
    })
    expect(transport.emit(createEvent('a', 1))).toBe(false)
    await expect(transport.connect()).rejects.toMatchObject({ code: 'closed' })
    await expect(transport.reconnect()).rejects.toMatchObject({ code: 'closed' })
    const feed = transport.subscribe([], { deliver: () => true })
    await expect(feed.live).rejects.toMatchObject({ code: 'closed' })
    await feed.unsubscribe()
    await expect(transport.drain()).resolves.toEqual({ unsent: [], unhandled: 0 })
    expect(server.upgradeAttempts).toBe(1)
  })

  test('reports nothing any more', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const all = await collect(transport)
    const notices = record(transport)
    await transport.close()
    const told = notices.length
    expect(transport.emit(createEvent('a', 1))).toBe(false)
    server.inject(frameOf('a', 1))
    transport.breaker?.trip()
    expect(notices).toHaveLength(told)
    expect(all.events).toEqual([])
  })
})

describe('close', () => {
  test('rejects every publisher that waits, in the queue or for room in it, as not sent [F51]', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server, { queue: { capacity: 2 } })
    const waiting = Array.from({ length: 100 }, () => transport.publish(createEvent('a', 1)))
    const settled = Promise.allSettled(waiting)
    await transport.close()
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'closed', outcome: 'not-sent' },
      })
    }
  })

  test('settles every publish of a storm exactly once, whatever the moment [F47, F50]', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    const outcomes: Promise<string>[] = []
    for (let i = 0; i < 500; i++) {
      const publish = transport.publish(createEvent('a', i))
      outcomes.push(
        publish.then(
          () => 'sent',
          (error: Coded) => error.code,
        ),
      )
      if (i === 250) void transport.close()
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const codes = await Promise.all(outcomes)
    expect(new Set(codes)).toEqual(new Set(['sent', 'closed']))
  })

  test('towards a server that answers nothing takes no longer than timeouts.closeMs [F135]', async () => {
    const server = await serve()
    const transport = transportTo(server, { timeouts: { closeMs: 50 } })
    await transport.connect()
    server.faults.stall()
    await transport.close()
    expect(transport.status.state).toBe('closed')
    expect(only(record(transport), 'close')).toEqual([])
  })

  test('of a reader that was paused does not wait for its subscription', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const all = await collect(transport)
    all.hasRoom = false
    server.inject(frameOf('a', 1))
    await until(() => all.events.length === 1, 'held')
    await transport.close()
    const connection = await server.waitForConnection()
    expect(await connection.waitForClose()).toMatchObject({ code: 1000, wasClean: true })
  })

  test('ends a wait for the connection', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server)
    const wait = transport.connect({ retry: true })
    const closing = transport.close()
    await expect(wait).rejects.toMatchObject({ code: 'closed' })
    await closing
  })

  test('happens at the end of an `await using` block', async () => {
    const server = await serve()
    {
      await using transport = transportTo(server)
      await transport.connect()
    }
    const connection = await server.waitForConnection()
    expect(await connection.waitForClose()).toMatchObject({ code: 1000 })
  })
})

interface Coded {
  readonly code: string
}

describe('a listener that closes the transport', () => {
  test.each(['connecting', 'bootstrapping', 'ready', 'backoff'])(
    'when it hears of %s leaves it closed, with nothing told afterwards and nothing left behind [F40, F136]',
    async (state) => {
      const server = await serve()
      if (state === 'backoff') server.faults.refuse(503)
      const before = resources()
      const transport = transportTo(server, { reconnect: { backoff: () => 60_000 } })
      const notices = record(transport)
      transport.on('status', ({ status }) => {
        if (status.state === state) void transport.close()
      })
      await expect(transport.connect()).rejects.toMatchObject({ code: /closed|handshake/ })
      await until(() => transport.status.state === 'closed', 'closed')
      expect(only(notices, 'open')).toEqual([])
      expect(states(notices).at(-1)).toBe('closed')
      await until(() => server.live.length === 0, 'no socket')
      await leavesNothing(before)
    },
  )

  test('when it hears of an error leaves no timer behind', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const before = resources()
    const transport = transportTo(server, { reconnect: { backoff: () => 60_000 } })
    transport.on('error', () => void transport.close())
    await expect(transport.connect()).rejects.toMatchObject({ code: 'closed' })
    await leavesNothing(before)
  })

  test('or drains, publishes and reconnects when it hears of ready does no harm [F40]', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const outcomes: Promise<unknown>[] = []
    transport.on('status', ({ status }) => {
      if (status.state !== 'ready') return
      if (status.generation === 1) outcomes.push(transport.reconnect())
      else outcomes.push(transport.publish(createEvent('a', 1)), transport.drain())
    })
    await transport.connect({ retry: true })
    await until(() => outcomes.length === 3, 'all were called')
    await Promise.all(outcomes)
    expect(transport.status.state).toBe('closed')
    expect(server.received).toHaveLength(1)
  })
})

describe('drain', () => {
  test('sends what was accepted, takes nothing new, then closes and reports that nothing is left', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const published = Array.from({ length: 50 }, (_, n) => transport.publish(createEvent('a', n)))
    const draining = transport.drain()
    await expect(transport.publish(createEvent('a', 'late'))).rejects.toMatchObject({
      code: 'draining',
      outcome: 'not-sent',
    })
    await Promise.all(published)
    await expect(draining).resolves.toEqual({ unsent: [], unhandled: 0 })
    expect(transport.status).toMatchObject({ state: 'closed', cause: undefined })
    await until(() => server.received.length === 50, 'all arrived')
  })

  test('gives up at its deadline and names what was left', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server)
    const event = createEvent('a', 1)
    const publish = transport.publish(event)
    publish.catch(() => {})
    await expect(transport.drain({ timeoutMs: 20 })).resolves.toEqual({
      unsent: [event.id],
      unhandled: 0,
    })
    await expect(publish).rejects.toMatchObject({ code: 'closed', outcome: 'not-sent' })
  })

  test('stops waiting when its signal aborts', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server)
    transport.emit(createEvent('a', 1, { id: 'left' }))
    await expect(transport.drain({ signal: AbortSignal.timeout(10) })).resolves.toMatchObject({
      unsent: ['left'],
    })
  })
})
