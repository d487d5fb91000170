import { createEvent } from '@bus/core'
import { plainJson } from '@bus/websocket/protocol'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { collect, only, record, serve, states, transportTo, until } from './harness.ts'

const texts = (messages: readonly { readonly data: unknown }[]): string[] =>
  messages.map(({ data }) =>
    typeof data === 'string' ? data : Buffer.from(data as Uint8Array).toString(),
  )

describe('the frames of onOpen', () => {
  test('arrive in order, before open is emitted and before any event', async () => {
    const server = await serve()
    const written: number[] = []
    const note = (): number => written.push(transport.metrics().bytes.sent)
    const transport = transportTo(server, {
      onOpen: async () => {
        note()
        await nextTurn()
        expect(only(notices, 'open')).toEqual([])
        return ['login', Buffer.from('bytes'), 'join']
      },
    })
    const notices = record(transport)
    transport.on('open', note)
    const published = transport.publish(createEvent('a', 1))
    await published
    await until(() => server.received.length === 4, 'all arrive')
    expect(texts(server.received).slice(0, 3)).toEqual(['login', 'bytes', 'join'])
    expect(server.received.map((m) => typeof m.data === 'string')).toEqual([
      true,
      false,
      true,
      true,
    ])
    expect(only(notices, 'open')).toHaveLength(1)
    const [before = 0, atOpen = 0] = written
    expect(atOpen - before).toBeGreaterThan('loginbytesjoin'.length)
  })

  test('may be none: ready at once, with nothing sent', async () => {
    const server = await serve()
    const transport = transportTo(server, { onOpen: () => [] })
    await transport.connect()
    expect(server.received).toEqual([])
  })

  test('are made again for every connection, each time with what it is', async () => {
    const server = await serve({ subprotocols: ['p'] })
    const seen: unknown[] = []
    const transport = transportTo(server, {
      protocols: ['p'],
      onOpen: ({ generation, attempt, protocol, signal }) => {
        seen.push({ generation, attempt, protocol, aborted: signal.aborted })
        return [`hello ${generation}`]
      },
    })
    await transport.connect()
    server.faults.reset()
    await server.waitForMessage('hello 2')
    expect(seen).toEqual([
      { generation: 1, attempt: 1, protocol: 'p', aborted: false },
      { generation: 2, attempt: 2, protocol: 'p', aborted: false },
    ])
  })
})

describe('a bootstrap that fails', () => {
  const boom = new Error('boom')
  test.each([
    ['rejects', () => Promise.reject(boom), boom],
    [
      'throws',
      () => {
        throw boom
      },
      boom,
    ],
    ['returns no frames', () => ({}) as string[], undefined],
    ['returns something else among them', () => ['a', 7] as string[], undefined],
  ])(
    'because onOpen %s closes the socket, tells no open, and is tried again',
    async (_how, onOpen, cause) => {
      const server = await serve()
      let calls = 0
      const transport = transportTo(server, { onOpen: () => (calls++ === 0 ? onOpen() : ['good']) })
      const notices = record(transport)
      await expect(transport.connect()).rejects.toMatchObject({
        code: 'bootstrap',
        ...(cause === undefined ? {} : { cause }),
      })
      expect(only(notices, 'open')).toEqual([])
      await server.waitForMessage('good')
      await until(() => server.live.length === 1, 'the first socket is closed')
      expect(server.connections[0]?.received).toEqual([])
      expect(states(notices).slice(0, 4)).toEqual([
        'connecting',
        'bootstrapping',
        'backoff',
        'connecting',
      ])
    },
  )

  test('because the link breaks while frames are sent is tried again', async () => {
    const server = await serve()
    let calls = 0
    const transport = transportTo(server, {
      onOpen: async ({ signal }) => {
        if (calls++ > 0) return []
        server.faults.reset()
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        return ['too late']
      },
    })
    const notices = record(transport)
    await expect(transport.connect()).rejects.toMatchObject({ code: 'connection' })
    expect(only(notices, 'open')).toEqual([])
    await transport.connect({ retry: true })
    expect(server.received).toEqual([])
    expect(server.live).toHaveLength(1)
    expect(states(notices).slice(1, 3)).toEqual(['bootstrapping', 'backoff'])
  })

  test('because it takes too long ends with its own deadline, and its signal says so', async () => {
    const server = await serve()
    const signals: AbortSignal[] = []
    const transport = transportTo(server, {
      timeouts: { bootstrapMs: 20 },
      onOpen: ({ signal }) => {
        signals.push(signal)
        return signals.length === 1 ? new Promise(() => {}) : []
      },
    })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'timeout' })
    expect(signals[0]?.aborted).toBe(true)
    await transport.connect({ retry: true })
    await until(() => server.live.length === 1, 'the first socket is closed')
  })

  test('again and again uses up the attempts', async () => {
    const server = await serve()
    const transport = transportTo(server, {
      onOpen: () => Promise.reject(boom),
      reconnect: { maxAttempts: 2 },
    })
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({
      code: 'attempts-exhausted',
      cause: { code: 'bootstrap', cause: boom },
    })
    expect(server.upgradeAttempts).toBe(3)
    expect(transport.status.state).toBe('closed')
  })

  test('by a close of the server is judged by its code', async () => {
    const server = await serve({
      onConnection: (connection) => void connection.close(4403, 'not you'),
    })
    const transport = transportTo(server, { onOpen: () => new Promise(() => {}) })
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({
      code: 'connection',
      message: expect.stringContaining('4403') as string,
    })
    expect(server.upgradeAttempts).toBe(1)
    expect(transport.status.state).toBe('closed')
  })
})

test('ready means authenticated, then bootstrapped, then subscribed, then the events that waited', async () => {
  const server = await serve({
    handler: (message, connection) => {
      if (message.data === 'login') connection.send('welcome')
    },
  })
  const transport = transportTo(server, {
    protocol: {
      ...plainJson(),
      authenticate: async (link) => {
        await link.send('login')
        await link.waitFor((frame) => (frame === 'welcome' ? true : undefined))
      },
      subscribe: (patterns, link) => link.send(`subscribe ${patterns.join()}`),
    },
    onOpen: () => ['bootstrap'],
  })
  const published = transport.publish(createEvent('a', 1, { id: 'evt' }))
  await collect(transport, 'order.*')
  await published
  const expected = ['login', 'bootstrap', 'subscribe order.*']
  await until(() => server.received.length === 4, 'all arrive')
  expect(texts(server.received).slice(0, 3)).toEqual(expected)
  server.faults.reset()
  await until(() => server.received.length === 7, 'and again')
  expect(texts(server.received).slice(4)).toEqual(expected)
})
