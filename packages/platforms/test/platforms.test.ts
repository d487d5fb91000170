import { AuthError, RejectedError, createBus, createEvent, textCodec } from '@bus/core'
import { collect, cut, frameOf, only, record, serve, until } from '@bus/test-support/websocket'
import { FakeClock } from '@bus/testing'
import { busV1 } from '@bus/websocket'
import { plainJson, type Protocol } from '@bus/websocket/protocol'
import {
  createClient,
  definePlatform,
  genericHeartbeat,
  jsonRpcProtocol,
  type JsonRpcProtocol,
  type Platform,
  type PlatformClient,
  type PlatformClientOptions,
  type PlatformDefinition,
} from '../src/index.ts'
import { serveRpc, type RpcServer } from './rpc-server.ts'
import { onTestFinished, describe, expect, test } from 'vitest'

/** A client that ends with the test. */
function open<P extends Protocol>(
  platform: Platform<P>,
  own: PlatformClientOptions = {},
): PlatformClient<P> {
  const client = platform.open({ reconnect: { backoff: () => 5 }, ...own })
  onTestFinished(() => client.transport.close())
  return client
}

/** A platform that authenticates and subscribes by JSON-RPC; `refused` channels are refused. */
function rpcPlatform(log: string[] = []): Platform<JsonRpcProtocol> {
  return definePlatform({
    name: 'rpc',
    url: 'ws://127.0.0.1:9/',
    protocol: () => jsonRpcProtocol(),
    auth: (rpc) => ({
      authenticate: async (link) => {
        await rpc.over(link).request('auth', { key: 'k' })
        log.push('auth')
      },
      up: () => log.push('auth up'),
    }),
    subscriptions: (rpc) => ({
      subscribe: async (channels, link) => {
        const taken = await rpc.over(link).request<string[]>('subscribe', { channels })
        log.push(`sub ${channels.join(' ')}`)
        if (taken.length < channels.length) throw new RejectedError('no such channel')
      },
      unsubscribe: async (channels, link) => {
        await rpc.over(link).request('unsubscribe', { channels })
        log.push(`unsub ${channels.join(' ')}`)
      },
      up: () => log.push('subscriptions up'),
    }),
  })
}

const serveAll = (): Promise<RpcServer> => {
  const channelsOf = (params: unknown): string[] => (params as { channels: string[] }).channels
  return serveRpc({
    auth: () => ({ ok: true }),
    subscribe: (params) => channelsOf(params).filter((channel) => channel !== 'refused'),
    unsubscribe: channelsOf,
    time: () => 7,
  })
}

describe('a platform', () => {
  test('authenticates, asks for what is subscribed and then serves requests, on every link', async () => {
    const server = await serveAll()
    const log: string[] = []
    const { transport, protocol: rpc } = open(rpcPlatform(log), { url: server.url })
    const events = await collect(transport, 'a.b')
    await expect(rpc.request('time')).resolves.toBe(7)
    server.tell('a/b', 1)
    await until(() => events.payloads.length === 1, 'the event arrives')
    expect(log).toEqual(['auth', 'sub a.b', 'subscriptions up', 'auth up'])
    log.length = 0
    await cut(server.mock, transport)
    await until(() => log.includes('subscriptions up'), 'everything is made again')
    expect(log).toEqual(['auth', 'sub a.b', 'subscriptions up', 'auth up'])
    await expect(rpc.request('time')).resolves.toBe(7)
    await events.feed.unsubscribe()
    expect(log.at(-1)).toBe('unsub a.b')
  })

  test('tells who asked for a channel that the server refuses, and the others live on', async () => {
    const server = await serveAll()
    const { transport } = open(rpcPlatform(), { url: server.url })
    const good = await collect(transport, 'good')
    await expect(collect(transport, 'refused')).rejects.toThrow(RejectedError)
    server.tell('good', 1)
    await until(() => good.events.length === 1, 'the event arrives')
  })

  test('whose server cannot be asked for patterns says so before anything is sent', async () => {
    const server = await serveAll()
    const { transport } = open(rpcPlatform(), { url: server.url })
    expect(transport.capabilities.wildcards).toBe(false)
    await using bus = createBus({ transport })
    await expect(bus.subscribe('a.*', () => {})).rejects.toMatchObject({ code: 'unsupported' })
    const wild = definePlatform({
      name: 'wild',
      url: server.url,
      subscriptions: () => ({ wildcards: true, subscribe: async () => {} }),
    })
    expect(open(wild).transport.capabilities.wildcards).toBe(true)
  })

  test('makes no further attempt when the server does not accept us', async () => {
    const server = await serve()
    const platform = definePlatform({
      name: 'closed',
      url: server.url,
      auth: () => ({ authenticate: () => Promise.reject(new AuthError('no')) }),
    })
    const { transport } = open(platform)
    await expect(transport.connect()).rejects.toThrow('no')
    await until(() => transport.status.state === 'closed', 'it gives up')
    expect(server.upgradeAttempts).toBeLessThanOrEqual(2)
  })

  test('takes a handler of authentication as well, after what its dialect does by itself', async () => {
    const server = await serve()
    const platform = definePlatform({
      name: 'both',
      url: server.url,
      protocol: () => ({ ...plainJson(), authenticate: (link) => link.send('dialect') }),
      auth: () => ({ credentials: () => 'handler' }),
    })
    await open(platform).transport.connect()
    await server.waitForMessage('handler')
    expect(server.received.map(({ text }) => text)).toEqual(['dialect', 'handler'])
  })

  test('has heartbeats, a codec and options of its own, over which those of a client win', async () => {
    const server = await serve()
    const clock = new FakeClock()
    const platform = definePlatform({
      name: 'text',
      url: server.url,
      codec: textCodec({ type: 'line' }),
      heartbeat: () => genericHeartbeat({ message: 'beat', intervalMs: 1_000 }),
      options: { clock, heartbeat: false, headers: { 'x-a': '1', 'x-b': '1' } },
    })
    const { transport } = open(platform, { headers: { 'x-b': '2' } })
    await transport.publish(createEvent('line', 'hello'))
    await server.waitForMessage('hello')
    expect(server.upgrades[0]?.headers).toMatchObject({ 'x-a': '1', 'x-b': '2' })
    clock.advance(1_000)
    await server.waitForMessage('beat')
  })

  test('speaks plain JSON when it says nothing else', async () => {
    const server = await serve()
    const { transport, protocol } = open(definePlatform({ name: 'plain', url: server.url }))
    const events = await collect(transport)
    server.inject(frameOf('a', 1))
    await until(() => events.events.length === 1, 'the event arrives')
    expect(protocol.name).toBe('plain-json')
  })

  test('gives each client a protocol of its own, also one that is cloned', async () => {
    const server = await serveAll()
    const log: string[] = []
    const platform = rpcPlatform(log)
    const one = open(platform, { url: server.url })
    const two = open(platform, { url: server.url })
    expect(one.protocol).not.toBe(two.protocol)
    await one.transport.connect()
    await expect(two.protocol.request('time')).rejects.toMatchObject({ code: 'disconnected' })
    const three = one.transport.clone()
    onTestFinished(() => three.close())
    log.length = 0
    await three.connect()
    expect(log).toEqual(['auth', 'subscriptions up', 'auth up'])
  })

  test('may be opened with the defaults of an application', async () => {
    const server = await serveAll()
    const feed = createClient(rpcPlatform(), { url: server.url })
    const { transport, protocol: rpc } = feed.open()
    onTestFinished(() => transport.close())
    await transport.connect()
    await expect(rpc.request('time')).resolves.toBe(7)
  })

  test('a part that throws when the link is ready is reported, and the others learn of it all the same', async () => {
    const server = await serve()
    const seen: string[] = []
    const platform = definePlatform({
      name: 'failing',
      url: server.url,
      protocol: () => ({ ...plainJson(), up: () => void seen.push('dialect') }),
      subscriptions: () => ({
        subscribe: async () => {},
        up: () => {
          throw new Error('subscriptions')
        },
      }),
      auth: () => ({ authenticate: async () => {}, up: () => void seen.push('auth') }),
    })
    const { transport } = open(platform)
    const notices = record(transport)
    await transport.connect()
    expect(seen).toEqual(['dialect', 'auth'])
    expect(only(notices, 'error')).toMatchObject([
      { kind: 'listener', error: { message: 'subscriptions' } },
    ])
  })
})

test('a protocol whose up throws is reported, and the link is ready', async () => {
  const server = await serve()
  const up = (): never => {
    throw new Error('up')
  }
  const platform = definePlatform({
    name: 'a',
    url: server.url,
    protocol: () => ({ ...plainJson(), up }),
  })
  const { transport } = open(platform)
  const notices = record(transport)
  await transport.connect()
  expect(only(notices, 'error')).toMatchObject([{ kind: 'listener', error: { message: 'up' } }])
  expect(transport.status.state).toBe('ready')
})

describe('defining a platform', () => {
  const good: PlatformDefinition = { name: 'a', url: 'ws://127.0.0.1:9/' }

  test.each([
    ['no name', { url: 'ws://h/' }, 'name'],
    ['no url', { name: 'a' }, 'url'],
    ['a url of another kind', { ...good, url: 'http://h/' }, 'url'],
    ['a protocol that is none', { ...good, protocol: {} }, 'protocol'],
    ['a codec that is none', { ...good, codec: {} }, 'codec'],
    ['both', { ...good, codec: textCodec(), protocol: () => plainJson() }, 'codec'],
    ['auth that is no function', { ...good, auth: {} }, 'auth'],
    ['a heartbeat that is no function', { ...good, heartbeat: {} }, 'heartbeat'],
    ['subscriptions that are no function', { ...good, subscriptions: {} }, 'subscriptions'],
    ['options that are none', { ...good, options: 1 }, 'options'],
    ['an unknown member', { ...good, reconnect: {} }, 'reconnect'],
  ])('with %s is refused', (_what, definition, path) => {
    expect(() => definePlatform(definition as never)).toThrow(
      expect.objectContaining({ code: 'config', path }) as Error,
    )
  })

  test.each([
    ['a protocol', {}, { protocol: plainJson() }, 'protocol'],
    ['heartbeats', {}, { applicationHeartbeat: genericHeartbeat() }, 'applicationHeartbeat'],
    ['an unknown option', {}, { retries: 1 }, 'retries'],
    ['a bad option of the platform', { options: { maxAttempts: 0 } }, {}, 'maxAttempts'],
    [
      'auth for a session',
      { protocol: () => busV1(), auth: () => ({ authenticate: async () => {} }) },
      {},
      'auth',
    ],
    [
      'subscriptions for a session',
      { protocol: () => busV1(), subscriptions: () => ({ subscribe: async () => {} }) },
      {},
      'subscriptions',
    ],
  ])('a client with %s is refused', (_what, members, own, path) => {
    const platform = definePlatform({ ...good, ...members } as never)
    expect(() => platform.open(own as never)).toThrow(
      expect.objectContaining({ code: 'config', path }) as Error,
    )
  })
})
