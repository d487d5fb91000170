import { RateLimitError, createBus, createEvent } from '@bus/core'
import { channelDialect, collect, frameOf, serve, until } from '@bus/test-support/websocket'
import { mergeConfig, webSocketTransport, type WebSocketTransport } from '@bus/websocket'
import { plainJson } from '@bus/websocket/protocol'
import {
  createClient,
  definePlatform,
  profiles,
  tokenAuth,
  type ClientOptions,
} from '../src/index.ts'
import { serveAuth } from './auth-server.ts'
import { describe, expect, onTestFinished, test } from 'vitest'

function ends(transport: WebSocketTransport): WebSocketTransport {
  onTestFinished(() => transport.close())
  return transport
}

/** Which of the layers each header comes from. */
const from = (layer: string, ...names: string[]): ClientOptions => ({
  headers: Object.fromEntries(names.map((name) => [`x-${name}`, layer])),
})

/** The layers whose handler was told of a connection. */
const told: number[] = []

/** Settings of all kinds that tell which layer they come from. */
const layer = (n: number): ClientOptions => ({
  handlers: {
    auth: tokenAuth({ token: `t${n}` }),
    connection: { onConnect: () => void told.push(n) },
  },
  admission: {
    hasPriorities: false,
    admit: () => {
      throw new RateLimitError('refused', { reason: 'limited', cost: n, retryAfterMs: 1 })
    },
  },
  reconnect: { maxAttempts: n },
})

/** Settings that are there and say nothing, as from a file. */
const absent = (nothing: undefined | null): ClientOptions =>
  ({
    url: nothing,
    handlers: { auth: nothing, connection: nothing },
    admission: nothing,
    reconnect: { maxAttempts: nothing },
  }) as unknown as ClientOptions

describe('a client definition', () => {
  test('lets the platform yield to the defaults, and those to the call', async () => {
    const server = await serve()
    const platform = definePlatform({
      name: 'feed',
      url: 'ws://127.0.0.1:1/nowhere',
      protocol: () => plainJson(),
      options: from('platform', 'a', 'b', 'c'),
    })
    const client = createClient(platform, { url: server.url, ...from('defaults', 'b', 'c') })
    await ends(client.open(from('call', 'c')).transport).connect()
    await ends(client.open().transport).connect()
    const headers = server.upgrades.map((upgrade) =>
      ['a', 'b', 'c'].map((name) => upgrade.headers[`x-${name}`]),
    )
    expect(headers).toEqual([
      ['platform', 'defaults', 'call'],
      ['platform', 'defaults', 'defaults'],
    ])
  })

  test('may be made of options alone, in the same order', async () => {
    const server = await serve()
    const client = createClient(
      {
        url: 'ws://127.0.0.1:1/nowhere',
        protocol: plainJson(),
        ...from('platform', 'a', 'b', 'c'),
      },
      { url: server.url, ...from('defaults', 'b', 'c') },
    )
    const { transport, protocol } = client.open(from('call', 'c'))
    await ends(transport).connect()
    expect(protocol.name).toBe('plain-json')
    expect(server.upgrades[0]?.headers).toMatchObject({
      'x-a': 'platform',
      'x-b': 'defaults',
      'x-c': 'call',
    })
  })

  test.each<[string, ClientOptions, ClientOptions, number]>([
    ['the platform', {}, {}, 1],
    ['the defaults', layer(2), {}, 2],
    ['the call', layer(2), layer(3), 3],
    ['the defaults, where the call is undefined,', layer(2), absent(undefined), 2],
    ['the defaults, where the call is null,', layer(2), absent(null), 2],
  ])(
    'takes handlers, credentials, rate limit and reconnects of %s',
    async (_layer, defaults, own, n) => {
      told.length = 0
      const server = await serveAuth(() => ({ type: 'auth_success' }))
      const platform = definePlatform({
        name: 'feed',
        url: server.url,
        protocol: () => channelDialect(),
        options: { ...layer(1), reconnect: { maxAttempts: 1, backoff: () => 1 } },
      })
      const transport = ends(createClient(platform, defaults).open(own).transport)
      await transport.connect()
      expect(told).toEqual([n])
      expect(server.shown).toMatchObject([{ token: `t${n}` }])
      await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({ cost: n })
      server.channels.mock.faults.refuse(503)
      server.channels.mock.faults.reset()
      await until(() => transport.status.state === 'closed', 'it gives up')
      // One that succeeded, then as many as are permitted.
      expect(server.channels.mock.upgradeAttempts).toBe(1 + n)
    },
  )

  test('makes clients that share nothing', async () => {
    const server = await serve()
    const client = createClient({ url: server.url, protocol: plainJson() })
    const [one, two] = [ends(client.open().transport), ends(client.open().transport)]
    const events = await collect(two, 'a')
    await one.publish(createEvent('b', 1))
    await one.close()
    server.inject(frameOf('a', 1))
    await until(() => events.events.length === 1, 'the other lives on')
    expect([one.stats().sent, two.stats().sent]).toEqual([1, 0])
  })

  test('gives each client of a protocol with a state a fresh one', () => {
    let clones = 0
    const protocol = {
      ...channelDialect(),
      clone: () => ({ ...channelDialect(), name: `c${++clones}` }),
    }
    const client = createClient({ url: 'ws://localhost/', protocol })
    expect([client.open().protocol.name, client.open().protocol.name]).toEqual(['c1', 'c2'])
  })

  test('leaves its layers as they are, and shows its defaults', () => {
    const defaults = Object.freeze({
      url: 'ws://localhost/',
      queue: Object.freeze({ capacity: 5 }),
    })
    const client = createClient(profiles.lightweight, defaults)
    expect(client.defaults.queue).toMatchObject({ capacity: 5, strategy: 'drop-oldest' })
    expect(Object.isFrozen(client.defaults)).toBe(true)
    client.open({ queue: { capacity: 9 } })
    expect(client.defaults.queue).toMatchObject({ capacity: 5 })
  })

  test('speaks bus.v1 where nothing else is said, and works under a bus', async () => {
    const server = await serve()
    const { transport, protocol } = createClient(profiles.standard, { url: server.url }).open()
    expect(protocol.name).toBe('bus.v1')
    await using bus = createBus({ transport })
    await bus.publish('a', 1)
    await server.waitForMessage({ event_type: 'a' })
  })

  test('refuses what is no platform, and an option that is wrong when it is opened', () => {
    expect(() => createClient(null as unknown as ClientOptions)).toThrow(
      expect.objectContaining({ code: 'config', path: 'platform' }) as Error,
    )
    expect(() => createClient({}, {}).open()).toThrow(
      expect.objectContaining({ code: 'config', path: 'url' }) as Error,
    )
    const wrong = createClient({ url: 'ws://localhost/' }, { maxAttempts: -1 })
    expect(() => wrong.open()).toThrow(
      expect.objectContaining({ code: 'config', path: 'maxAttempts' }) as Error,
    )
  })
})

describe('a profile on a live connection', () => {
  test.each(Object.entries(profiles))('%s carries events both ways', async (_name, profile) => {
    const server = await serve()
    const options = mergeConfig(profile as ClientOptions, {
      url: server.url,
      protocol: plainJson(),
    })
    const transport = ends(webSocketTransport(options))
    await transport.connect()
    const events = await collect(transport, 'a')
    server.inject(frameOf('a', 1))
    await transport.publish(createEvent('b', 2))
    await until(() => events.events.length === 1, 'the event')
    await server.waitForMessage({ event_type: 'b' })
  })

  test('financial refuses at once without a link; messaging sends when there is one', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const open = (profile: ClientOptions): WebSocketTransport => {
      const reconnect = { backoff: () => 5 }
      const own = { url: server.url, protocol: plainJson(), reconnect }
      return ends(webSocketTransport(mergeConfig(profile, own)))
    }
    await expect(open(profiles.financial).publish(createEvent('order', 1))).rejects.toMatchObject({
      outcome: 'not-sent',
    })
    await expect(open(profiles.messaging).publish(createEvent('note', 1))).resolves.toMatchObject({
      status: 'sent',
    })
  })
})
