import {
  DecodeError,
  createBus,
  createEvent,
  type Event,
  type LogFields,
  type Logger,
  type TransportEvents,
} from '@bus/core'
import { RateLimiter } from '@bus/rate-limit'
import {
  channelDialect,
  serveChannels,
  collect,
  cut,
  frameOf,
  only,
  record,
  serve,
  transportTo,
  until,
} from '@bus/test-support/websocket'
import {
  busV1,
  webSocketTransport,
  type RawFrame,
  WebSocketTransport,
  type WebSocketTransportOptions,
} from '@bus/websocket'
import { plainJson } from '@bus/websocket/protocol'
import { attachHandlers, tokenAuth, withAuth, withHandlers, type Handlers } from '../src/index.ts'
import { serveAuth } from './auth-server.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createHub } from '@bus/websocket/hub'

const boom = (): never => {
  throw new Error('boom')
}

type Options = Omit<WebSocketTransportOptions, 'url'>

function clientOf(
  server: { readonly url: string },
  handlers: Handlers,
  options: Options = {},
): WebSocketTransport {
  const { url } = server
  const { url: _url, ...changed } = withHandlers(
    { url, protocol: plainJson(), ...options },
    handlers,
  )
  const transport = transportTo(server, changed)
  attachHandlers(transport, handlers)
  return transport
}

/** What went wrong in functions of the user's. */
function complaints(transport: WebSocketTransport): [string, string][] {
  const messages: [string, string][] = []
  transport.on('error', ({ kind, error }) => messages.push([kind, error.message]))
  return messages
}

describe('without handlers', () => {
  test('every default is at work', async () => {
    const server = await serveChannels()
    const transport = clientOf(server, {}, { protocol: channelDialect() })
    const events = await collect(transport, 'a')
    server.emit('a', 1)
    await transport.publish(createEvent('b', 2))
    await until(() => events.events.length === 1, 'the event')
    await cut(server.mock, transport)
    await until(() => transport.status.state === 'ready', 'a new link')
    await until(() => server.log.includes('event b'), 'the published one')
    expect(server.log).toEqual(['sub a', 'event b', 'sub a'])
  })

  test('handlers that have no functions change nothing', async () => {
    const server = await serve()
    const empty: Handlers = {
      connection: {},
      message: {},
      error: {},
      subscription: {},
      rateLimit: {},
    }
    const transport = clientOf(server, empty)
    const events = await collect(transport, 'a')
    server.inject(frameOf('a', 1))
    await until(() => events.events.length === 1, 'the event')
  })
})

describe('the connection handler', () => {
  test('is called on every transition: connected, lost, connected again, closed', async () => {
    const server = await serve()
    const told: string[] = []
    const transport = clientOf(server, {
      connection: {
        onConnect: ({ generation, reconnected }) =>
          told.push(`connect ${generation} ${reconnected}`),
        onDisconnect: ({ initiatedBy }) => told.push(`disconnect ${initiatedBy}`),
        onStatus: ({ status }) => told.push(status.state),
      },
    })
    await transport.connect()
    await cut(server, transport)
    await until(() => transport.status.state === 'ready', 'a new link')
    await transport.close()
    expect(told).toEqual([
      'connecting',
      'bootstrapping',
      'ready',
      'connect 1 false',
      'disconnect remote',
      'backoff',
      'connecting',
      'bootstrapping',
      'ready',
      'connect 2 true',
      'disconnect local',
      'closed',
    ])
  })

  test('that throws is reported and changes nothing', async () => {
    const server = await serve()
    const connection = { onConnect: boom, onDisconnect: boom, onStatus: boom }
    const transport = clientOf(server, { connection })
    const errors = complaints(transport)
    const events = await collect(transport, 'a')
    await cut(server, transport)
    await until(() => transport.status.state === 'ready', 'a new link')
    server.inject(frameOf('a', 1))
    await until(() => events.events.length === 1, 'the event')
    await transport.publish(createEvent('b', 1))
    expect(errors.filter(([kind]) => kind === 'listener').length).toBeGreaterThanOrEqual(6)
  })

  test('may be an instance of a class', async () => {
    class Counter {
      #connects = 0
      get connects(): number {
        return this.#connects
      }
      onConnect(): void {
        this.#connects++
      }
    }
    const server = await serve()
    const connection = new Counter()
    await clientOf(server, { connection }).connect()
    expect(connection.connects).toBe(1)
  })
})

describe('the message handler', () => {
  test('sees each message as it comes, also what is no event, and answers on the same link', async () => {
    const server = await serve()
    const seen: RawFrame[] = []
    const message = {
      onMessage: (frame: RawFrame) => {
        seen.push(frame)
        if (frame.data === 'one?') return 'one'
        return frame.data === 'two?' ? ['two', new Uint8Array([2])] : undefined
      },
    }
    const transport = clientOf(server, { message })
    const events = await collect(transport, 'a')
    for (const text of ['one?', 'two?', frameOf('a', 1)]) server.inject(text)
    await until(() => server.received.length === 3 && events.events.length === 1, 'all of it')
    expect(seen.map(({ kind, data }) => [kind, String(data).slice(0, 4)])).toEqual([
      ['text', 'one?'],
      ['text', 'two?'],
      ['text', '{"id'],
    ])
    expect(server.received.slice(0, 2).map(({ data }) => data)).toEqual(['one', 'two'])
    await cut(server, transport)
    await until(() => transport.status.state === 'ready', 'a new link')
    server.inject('one?')
    await until(() => server.received.length === 4, 'it answers there too')
  })

  test('writes and reads the messages in its own way', async () => {
    const server = await serve()
    const message = {
      encode: (event: Event) => `${event.type}=${String(event.payload)}`,
      decode: (frame: unknown, receiver: { event(event: Event, token: number): void }) => {
        const [type = '', payload] = String(frame).split('=')
        if (payload === undefined) throw new DecodeError('no event')
        receiver.event(createEvent(type, payload), 0)
      },
    }
    const transport = clientOf(server, { message })
    const notices = record(transport)
    const events = await collect(transport, 'a')
    await transport.publish(createEvent('b', 7))
    await server.waitForMessage('b=7')
    for (const text of ['nonsense', 'a=1']) server.inject(text)
    await until(() => events.events.length === 1, 'the event')
    expect(events.payloads).toEqual(['1'])
    expect(only(notices, 'undeliverable')).toMatchObject([{ raw: 'nonsense' }])
  })

  test('that throws is reported and changes nothing', async () => {
    const server = await serve()
    const transport = clientOf(server, { message: { onMessage: boom } })
    const errors = complaints(transport)
    const events = await collect(transport, 'a')
    server.inject(frameOf('a', 1))
    await until(() => events.events.length === 1, 'the event')
    expect(errors).toEqual([['listener', 'boom']])
    const reader = clientOf(server, { message: { decode: boom } })
    const complaintsOfReader = complaints(reader)
    await reader.connect()
    server.inject(frameOf('a', 1))
    await until(() => complaintsOfReader.length === 1, 'it is told')
    expect(complaintsOfReader).toEqual([['decode', 'boom']])
    expect(reader.status.state).toBe('ready')
    const writer = clientOf(server, { message: { encode: boom } })
    await expect(writer.publish(createEvent('a', 1))).rejects.toThrow('boom')
  })

  test('sees the lines of our hub, but may not answer them', async () => {
    const hub = await createHub({ allowAnonymous: true, closeMs: 200 })
    onTestFinished(() => hub.close())
    const seen: string[] = []
    const message = {
      onMessage: ({ data }: RawFrame) => {
        seen.push(String(data).split(' ', 1)[0] ?? '')
        return 'hello?'
      },
    }
    const transport = clientOf(hub, { message }, { protocol: busV1() })
    const errors = complaints(transport)
    await transport.publish(createEvent('a', 1))
    expect(seen).toEqual(['welcome', 'ok'])
    expect(errors).toHaveLength(2)
    expect(errors[0]).toEqual(['listener', expect.stringContaining('bus.v1')])
  })
})

describe('the error handler', () => {
  test('is told of every failure, and decides which are final', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const told: TransportEvents['error'][] = []
    const asked: unknown[] = []
    const transport = clientOf(server, {
      error: {
        onError: (notice) => told.push(notice),
        classify: (error) => (asked.push(error) < 3 ? 'transient' : 'fatal'),
      },
    })
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({ status: 503 })
    expect(asked).toHaveLength(3)
    expect(told.map(({ kind }) => kind)).toEqual(['connection', 'connection', 'connection'])
  })

  test('decides after which close code there is another link', async () => {
    const server = await serve()
    const codes: unknown[] = []
    const transport = clientOf(server, {
      error: {
        classify: (_error, closeCode) => {
          codes.push(closeCode)
          return closeCode === 4000 ? 'transient' : 'fatal'
        },
      },
    })
    await transport.connect()
    server.disconnect(4000)
    await until(() => transport.stats().reconnects === 1, 'a new link')
    server.disconnect(1001)
    await until(() => transport.status.state === 'closed', 'the end')
    expect(codes).toEqual([4000, 1001])
  })

  test('leaves to the options what it does not decide', async () => {
    const server = await serve()
    const transport = clientOf(
      server,
      { error: { onError: () => {} } },
      { reconnect: { classify: () => 'fatal' } },
    )
    await transport.connect()
    server.disconnect(1001)
    await until(() => transport.status.state === 'closed', 'the end')
    const single = clientOf(
      server,
      { error: { classify: () => 'transient' } },
      { reconnect: false },
    )
    server.faults.refuse(503)
    await expect(single.connect({ retry: true })).rejects.toMatchObject({ status: 503 })
  })

  test('that throws is reported and changes nothing', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const error = { onError: boom, classify: boom }
    const transport = clientOf(server, { error })
    const errors = complaints(transport)
    await transport.connect({ retry: true })
    server.disconnect(1001)
    await until(() => transport.stats().reconnects === 1, 'a new link')
    expect(errors).toContainEqual(['listener', 'boom'])
  })
})

describe('the subscription handler', () => {
  test('asks the server in its own way, and is told what was restored', async () => {
    const server = await serve()
    const restored: unknown[] = []
    const transport = clientOf(server, {
      subscription: {
        subscribe: (patterns, link) => link.send(`SUB ${patterns.join(',')}`),
        unsubscribe: (patterns, link) => link.send(`UNSUB ${patterns.join(',')}`),
        onRestored: ({ patterns }) => restored.push(patterns),
      },
    })
    const { feed } = await collect(transport, 'a', 'b')
    await server.waitForMessage('SUB a,b')
    await cut(server, transport)
    await until(() => restored.length === 1, 'restored')
    await feed.unsubscribe()
    await until(() => server.received.length === 3, 'all of it')
    expect(server.received.map(({ data }) => data)).toEqual(['SUB a,b', 'SUB a,b', 'UNSUB a,b'])
    expect(restored).toEqual([['a', 'b']])
  })

  test('is told what could not be restored', async () => {
    const server = await serveChannels()
    const failed: unknown[] = []
    const subscription = {
      onFailed: ({ patterns }: { readonly patterns: readonly string[] }) => failed.push(patterns),
    }
    const transport = clientOf(server, { subscription }, { protocol: channelDialect() })
    await collect(transport, 'a')
    await collect(transport, 'b')
    server.refused.add('a')
    await cut(server.mock, transport)
    await until(() => failed.length === 1, 'it is told')
    expect(failed).toEqual([['a']])
  })

  test('that throws is reported and changes nothing', async () => {
    const server = await serve()
    let isBroken = false
    const transport = clientOf(server, {
      subscription: {
        subscribe: async () => {
          if (isBroken) boom()
        },
        onRestored: boom,
      },
    })
    const errors = complaints(transport)
    await collect(transport, 'a')
    isBroken = true
    await expect(collect(transport, 'b')).rejects.toThrow('boom')
    isBroken = false
    await cut(server, transport)
    await until(() => transport.status.state === 'ready', 'a new link')
    await until(() => errors.length > 0, 'it is told')
    expect(errors).toContainEqual(['listener', 'boom'])
  })
})

describe('the auth handler', () => {
  test('says who we are in its own way', async () => {
    const server = await serve({
      handler: ({ data }, connection) => {
        if (data === 'PASS open-sesame') connection.send('WELCOME')
      },
    })
    const transport = clientOf(server, {
      auth: {
        credentials: ({ reason }) => (reason === 'connect' ? 'PASS open-sesame' : ''),
        onResponse: (frame) => (frame === 'WELCOME' ? { accepted: true } : undefined),
      },
    })
    await transport.publish(createEvent('a', 1))
    await until(() => server.received.length === 2, 'the event')
    expect(server.received[0]?.data).toBe('PASS open-sesame')
  })

  test('that throws is reported and changes nothing but the attempt', async () => {
    const server = await serveAuth(() => ({ type: 'auth_success' }))
    let attempts = 0
    const transport = clientOf(server, {
      auth: {
        credentials: () => {
          if (++attempts === 1) boom()
          return '{"type":"auth"}'
        },
        onState: boom,
      },
    })
    const errors = complaints(transport)
    await expect(transport.connect()).rejects.toMatchObject({ code: 'bootstrap' })
    await until(() => transport.status.state === 'ready', 'the next attempt')
    expect(errors).toContainEqual(['listener', 'boom'])
  })
})

describe('the rate limit handler', () => {
  test('says what an event costs and what goes first, and is told what is limited', async () => {
    const server = await serve()
    const told: string[] = []
    const transport = clientOf(
      server,
      {
        rateLimit: {
          onLimit: ({ action, event, cost }) => told.push(`${action} ${event.type} ${cost}`),
        },
      },
      {
        admission: new RateLimiter<Event>({
          capacity: 10,
          intervalMs: 50,
          cost: ({ payload }) => payload as number,
          priority: ({ type }) => (type === 'urgent' ? 1 : 0),
        }),
      },
    )
    await transport.connect()
    const events = [createEvent('first', 10), createEvent('usual', 9), createEvent('urgent', 8)]
    await Promise.all(events.map((event) => transport.publish(event)))
    await until(() => server.received.length === 3, 'all of them')
    const types = server.received.map(({ data }) => {
      return (JSON.parse(String(data)) as { event_type: string }).event_type
    })
    expect(types).toEqual(['urgent', 'first', 'usual'])
    expect(told).toContain('queued usual 9')
  })

  test('that throws is reported and the transport lives on', async () => {
    const server = await serve()
    let isBroken = true
    const cost = (): number => {
      if (isBroken) boom()
      return 1
    }
    const admission = new RateLimiter({ capacity: 1, cost })
    const transport = clientOf(server, { rateLimit: { onLimit: boom } }, { admission })
    const errors = complaints(transport)
    await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({
      code: 'rate-limited',
    })
    isBroken = false
    await transport.publish(createEvent('a', 2))
    await server.waitForMessage({ payload: 2 })
    expect(errors).toContainEqual(['listener', 'boom'])
  })
})

describe('the logging handler', () => {
  test('gets what happens in words, by level and under its name', async () => {
    const server = await serve()
    const entries: [string, string, LogFields][] = []
    const log =
      (level: string) =>
      (fields: LogFields, message: string): void =>
        void entries.push([level, message, fields])
    const logger: Logger = {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
    }
    const transport = clientOf(server, { logging: { logger, level: 'info', name: 'feed' } })
    await transport.connect()
    await transport.close()
    expect(entries.map(([level]) => level)).not.toContain('debug')
    expect(entries[0]).toMatchObject(['info', 'Connected', { name: 'feed' }])
  })

  test('that throws is reported and changes nothing', async () => {
    const server = await serve()
    const logger: Logger = { debug: boom, info: boom, warn: boom, error: boom }
    const transport = clientOf(server, { logging: { logger } })
    const errors = complaints(transport)
    await transport.publish(createEvent('a', 1))
    expect(errors).toContainEqual(['listener', 'boom'])
  })
})

test('all of them work through a bus as well', async () => {
  const server = await serve()
  const told: string[] = []
  const transport = clientOf(server, {
    connection: { onConnect: () => told.push('connected') },
    message: { onMessage: () => void told.push('message') },
  })
  await using bus = createBus({ transport })
  const payloads: unknown[] = []
  await bus.subscribe('a', (event) => {
    payloads.push(event.payload)
  })
  server.inject(frameOf('a', 1))
  await until(() => payloads.length === 1, 'the event')
  expect(told).toEqual(['connected', 'message'])
})

test.each([
  [{ handlers: [] }, 'handlers'],
  [{ handlers: { conection: {} } }, 'handlers.conection'],
  [{ handlers: { connection: () => {} } }, 'handlers.connection'],
  [{ handlers: { connection: { onConnect: 1 } } }, 'handlers.connection.onConnect'],
  [{ handlers: { message: { decode: 'x' } } }, 'handlers.message.decode'],
  [{ handlers: { error: { classify: 'fatal' } } }, 'handlers.error.classify'],
  [{ handlers: { subscription: { subscribe: [] } } }, 'handlers.subscription.subscribe'],
  [{ handlers: { auth: {} } }, 'handlers.auth'],
  [{ handlers: { rateLimit: { onLimit: 1 } } }, 'handlers.rateLimit.onLimit'],
  [{ handlers: { logging: {} } }, 'handlers.logging.logger'],
])('refuses handlers that cannot be ones, naming them: %o', (options, path) => {
  const handlers = options.handlers as unknown as Handlers
  const refusal = expect.objectContaining({ code: 'config', path }) as Error
  expect(() => withHandlers({ url: 'ws://localhost/' }, handlers)).toThrow(refusal)
  const transport = webSocketTransport({ url: 'ws://localhost/' })
  onTestFinished(() => transport.close())
  expect(() => attachHandlers(transport, handlers)).toThrow(refusal)
})

test('the credentials of a handler or a dialect do not go over ws: to another machine, unless that is allowed [F160]', () => {
  const url = 'ws://hub.example/events'
  const auth = tokenAuth({ token: 'canary-7f3a9c' })
  const options: WebSocketTransportOptions[] = [
    withHandlers({ url, protocol: plainJson() }, { auth }),
    { url, protocol: withAuth(plainJson(), auth) },
  ]
  for (const shown of options) {
    const refusal = expect.objectContaining({ code: 'config', path: 'protocol' }) as Error
    expect(() => webSocketTransport(shown)).toThrow(refusal)
    const allowed = webSocketTransport({ ...shown, allowInsecure: true })
    onTestFinished(() => allowed.close())
  }
})

test('a clone does its own authentication, and keeps what was put into the options', async () => {
  const server = await serve({
    handler: ({ data }, connection) => {
      if (data === 'PASS') connection.send('WELCOME')
    },
  })
  const transport = clientOf(server, {
    auth: {
      credentials: () => 'PASS',
      onResponse: (frame) => (frame === 'WELCOME' ? { accepted: true } : undefined),
    },
    message: { encode: ({ type }) => `event ${type}` },
  })
  await transport.publish(createEvent('a', 1))
  const clone = transport.clone()
  onTestFinished(() => clone.close())
  await clone.publish(createEvent('b', 1))
  await server.waitForMessage('event b')
  const sent = server.received.map(({ data }) => data)
  expect(sent).toEqual(['PASS', 'event a', 'PASS', 'event b'])
})

test('handlers end with the transport they were attached to, also when its connection goes to another owner', async () => {
  const server = await serve()
  const seen: string[] = []
  const transport = clientOf(server, {
    connection: { onDisconnect: () => seen.push('disconnect') },
    message: { onMessage: ({ data }) => void seen.push(String(data)) },
  })
  await transport.connect()
  const next = WebSocketTransport.adopt(await transport.detach())
  onTestFinished(() => next.close())
  const events = await collect(next, 'a')
  server.inject(frameOf('a', 1))
  await until(() => events.events.length === 1, 'the event')
  await next.close()
  expect(seen).toEqual([])
})
