import { collect, serve, transportTo, until } from '@bus/test-support/websocket'
import type { MockMessage } from '@bus/testing'
import { webSocketTransport } from '@bus/websocket'
import { plainJson } from '@bus/websocket/protocol'
import {
  definePlatform,
  jsonRpcProtocol,
  withChannels,
  type ChannelSubscriptionsOptions,
  type JsonRpcProtocol,
} from '../src/index.ts'
import { marketOptions, marketTo, relink, serveMarket } from './market-server.ts'
import { describe, expect, test } from 'vitest'

interface Call {
  readonly id: number
  readonly method: string
  readonly params: { readonly channels: readonly string[] }
}

/** A server that takes channels by JSON-RPC, all but those that begin with `no`. */
async function serveRpc(): Promise<{ readonly url: string; readonly log: string[] }> {
  const log: string[] = []
  const server = await serve({
    handler: ({ json }: MockMessage, connection) => {
      const { id, method, params } = json as Call
      log.push([method, ...params.channels].join(' '))
      const message = { jsonrpc: '2.0', id }
      if (params.channels.includes('broken')) {
        connection.send({ ...message, error: { code: -32_602, message: 'Invalid params' } })
        return
      }
      const result = params.channels.filter((channel) => !channel.startsWith('no'))
      connection.send({ ...message, result })
      for (const channel of method === 'subscribe' ? result : []) {
        connection.send({ jsonrpc: '2.0', method: channel, params: { price: 1 } })
      }
    },
  })
  return { url: server.url, log }
}

const byRpc = (rpc: JsonRpcProtocol): ChannelSubscriptionsOptions => ({
  subscribe: (channels, { link, signal }) =>
    rpc.over(link).request<string[]>('subscribe', { channels }, { signal }),
  unsubscribe: async (channels, { link, signal }) => {
    await rpc.over(link).request('unsubscribe', { channels }, { signal })
  },
})

describe('channels that are asked for by requests of their own', () => {
  test('are confirmed as the answer says, and what it leaves out is refused', async () => {
    const server = await serveRpc()
    const protocol = withChannels(jsonRpcProtocol(), byRpc)
    const transport = transportTo(server, { protocol })
    const sink = await collect(transport, '>')
    const { channels } = protocol
    await channels.subscribe(['a', 'b'])
    await until(() => sink.events.length === 2, 'the ticks come')
    await expect(channels.subscribe(['c', 'nothing'])).rejects.toMatchObject({ code: 'rejected' })
    expect(channels.list('confirmed').map(({ channel }) => channel)).toEqual(['a', 'b', 'c'])
    await expect(channels.subscribe(['broken'])).rejects.toMatchObject({
      code: 'rejected',
      cause: { code: 'rpc', rpcCode: -32_602 },
    })
    await channels.unsubscribe(['a', 'b'])
    expect(server.log).toEqual([
      'subscribe a b',
      'subscribe c nothing',
      'subscribe broken',
      'unsubscribe a b',
    ])
    await expect(protocol.request('anything', { channels: [] })).resolves.toEqual([])
  })

  test('are asked for over the link of their own transport, also by a copy', async () => {
    const server = await serveRpc()
    const protocol = withChannels(jsonRpcProtocol(), byRpc)
    const transport = transportTo(server, { protocol })
    await collect(transport, 'a')
    await using copy = transport.clone()
    await collect(copy, 'b')
    expect(server.log).toEqual(['subscribe a', 'subscribe b'])
    expect(protocol.channels.list().map(({ channel }) => channel)).toEqual(['a'])
  })
})

describe('a platform', () => {
  test('says who we are before it asks for channels, on every link', async () => {
    const server = await serveMarket()
    const market = definePlatform({
      name: 'market',
      url: server.url,
      protocol: () => withChannels(plainJson(), marketOptions),
      auth: () => ({ authenticate: (link) => link.send('{"op":"login"}') }),
      options: { reconnect: { backoff: () => 5 } },
    })
    const { transport, protocol } = market.open()
    await using client = transport
    await client.connect()
    await protocol.channels.subscribe(['a'])
    await collect(client, 'b')
    await relink(server, client)
    expect(server.log).toEqual(['login', 'subscribe a', 'subscribe b', 'login', 'subscribe a b'])
  })

  test('takes channels as its subscriptions', async () => {
    const server = await serveMarket()
    const market = definePlatform({
      name: 'market',
      url: server.url,
      subscriptions: (protocol) => withChannels(protocol, marketOptions).channels.part,
    })
    const { transport } = market.open()
    await using client = transport
    await collect(client, 'a')
    expect(server.channels).toEqual(['a'])
  })
})

describe('the limits', () => {
  test('of one request part what is asked for, and what is ended', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server, { channelsPerRequest: 2 })
    await transport.connect()
    await channels.subscribe(['a', 'b', 'c'])
    await relink(server, transport)
    await channels.unsubscribe(['a', 'b', 'c'])
    const asked = ['subscribe a b', 'subscribe c']
    expect(server.log).toEqual([...asked, ...asked, 'unsubscribe a b', 'unsubscribe c'])
  })

  test('of channels refuse what is too much, and nothing of it is asked for', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server, { maxChannels: 2 })
    await transport.connect()
    await channels.subscribe(['a'])
    await expect(channels.subscribe(['a', 'b', 'c'])).rejects.toMatchObject({ code: 'queue-full' })
    expect(channels.list().map(({ channel }) => channel)).toEqual(['a'])
    await channels.subscribe(['a', 'b'])
    await channels.unsubscribe(['a'])
    await channels.subscribe(['c'])
    expect(server.channels).toEqual(['b', 'c'])
  })

  test('of memory forget the oldest of what has ended', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server, { keepEnded: 2 })
    await transport.connect()
    const [a] = await channels.subscribe(['a', 'b', 'c'])
    await channels.unsubscribe(['a'])
    await channels.unsubscribe(['b'])
    await channels.unsubscribe(['c'])
    expect(channels.list().map(({ channel }) => channel)).toEqual(['b', 'c'])
    expect(channels.find('a')).toBeUndefined()
    expect(channels.status(a?.id ?? '')).toBeUndefined()
  })

  test('of a history keep the newest steps', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    await transport.connect()
    await channels.subscribe(['a'])
    for (let link = 0; link < 20; link++) await relink(server, transport)
    const { history } = channels.find('a') ?? { history: [] }
    expect(history).toHaveLength(32)
    expect(history.at(-1)?.status).toBe('confirmed')
    const next = marketTo(server)
    next.channels.importState(channels.exportState())
    await next.transport.connect()
    expect(next.channels.find('a')?.history).toHaveLength(32)
  })
})

describe('whoever waits', () => {
  test('and stops, leaves the channel to those who wait on', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    await transport.connect()
    server.ignored.add('a')
    const abort = new AbortController()
    const impatient = channels.subscribe(['a'], { signal: abort.signal })
    const patient = channels.subscribe(['a'])
    await until(() => server.log.length === 1, 'it asks')
    abort.abort('enough')
    await expect(impatient).rejects.toMatchObject({ code: 'aborted', cause: 'enough' })
    server.mock.inject({ op: 'ok', id: 1 })
    await expect(patient).resolves.toMatchObject([{ channel: 'a', status: 'confirmed' }])
    expect(server.channels).toEqual(['a'])
    const late = channels.subscribe(['b'], { signal: abort.signal })
    await expect(late).rejects.toMatchObject({ code: 'aborted' })
    expect(channels.find('b')).toBeUndefined()
  })

  test('before there is a link, is served by the first', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    const waiting = Promise.all([channels.subscribe(['a']), channels.subscribe(['b'])])
    await transport.connect()
    await waiting
    expect(server.log).toEqual(['subscribe a b'])
  })

  test('for the end of a channel is told that the server did not take note of it', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server, { expiresMs: 500 })
    await transport.connect()
    await channels.subscribe(['a'])
    server.ignored.add('a')
    await expect(channels.unsubscribe(['a'])).rejects.toMatchObject({ code: 'timeout' })
    expect(channels.find('a')?.status).toBe('unsubscribed')
    const abort = AbortSignal.abort('enough')
    await expect(channels.unsubscribe(['a'], { signal: abort })).rejects.toMatchObject({
      code: 'aborted',
    })
  })

  test('for notices is called until it stops, and what it throws is reported', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    await transport.connect()
    const errors: string[] = []
    transport.on('error', ({ kind, error }) => errors.push(`${kind} ${error.message}`))
    const stop = channels.on('status', ({ subscription }) => {
      if (subscription.status === 'confirmed') throw new Error('listener broke')
    })
    await channels.subscribe(['a'])
    stop()
    await channels.subscribe(['b'])
    expect(errors).toEqual(['listener listener broke'])
  })
})

describe('the options', () => {
  test.each([
    ['subscribe', {}],
    ['subscribe', { subscribe: 'x' }],
    ['unsubscribe', { unsubscribe: 'x' }],
    ['answer', { answer: 'x' }],
    ['channelsOf', { channelsOf: 'x' }],
    ['expiresMs', { expiresMs: 0 }],
    ['restore', { restore: 1 }],
    ['channelsPerRequest', { channelsPerRequest: 0 }],
    ['maxChannels', { maxChannels: Infinity }],
    ['keepEnded', { keepEnded: -1 }],
    ['clock', { clock: {} }],
    ['expireMs', { expireMs: 1 }],
  ])('refuse a bad %s', (path, bad) => {
    const subscribe = (): string => ''
    const options = path === 'subscribe' ? bad : { subscribe, ...bad }
    expect(() => withChannels(plainJson(), options as ChannelSubscriptionsOptions)).toThrow(
      expect.objectContaining({ code: 'config', path }),
    )
  })

  test('of a call name the channels', async () => {
    const { channels } = withChannels(plainJson(), marketOptions)
    const bad = [['a', ''], ['a', 7], 'a'] as readonly unknown[]
    for (const names of bad) {
      await expect(channels.subscribe(names as string[])).rejects.toMatchObject({ code: 'config' })
    }
    await expect(channels.subscribe(['a'], { wait: 1 } as object)).rejects.toMatchObject({
      code: 'config',
      path: 'wait',
    })
  })

  test('cannot be given to a session that has its own subscriptions', async () => {
    const { busV1 } = await import('@bus/websocket')
    expect(() => withChannels(busV1() as never, marketOptions)).toThrow(
      expect.objectContaining({ code: 'config', path: 'subscriptions' }),
    )
  })
})

test('a transport that ends lets nobody wait for a channel', async () => {
  const protocol = withChannels(plainJson(), marketOptions)
  const transport = webSocketTransport({ url: 'ws://127.0.0.1:1', protocol })
  const waiting = protocol.channels.subscribe(['a'])
  waiting.catch(() => {})
  await transport.close()
  await expect(waiting).rejects.toMatchObject({ code: 'closed' })
})

test('a protocol that fails as the transport ends is reported, and the transport ends all the same', async () => {
  const server = await serveMarket()
  const close = (): never => {
    throw new Error('close broke')
  }
  const transport = transportTo(server, { protocol: { ...plainJson(), close } })
  await transport.connect()
  const errors: string[] = []
  transport.on('error', ({ kind, error }) => errors.push(`${kind} ${error.message}`))
  await transport.close()
  expect(errors).toEqual(['listener close broke'])
  expect(transport.status.state).toBe('closed')
})
