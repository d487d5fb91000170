import { ConfigError, TimeoutError, createBus } from '@bus/core'
import { Collector, collect, only, record, until } from '@bus/test-support/websocket'
import { FakeClock } from '@bus/testing'
import type { ChannelNotices, ChannelStatus, ChannelSubscriptions } from '../src/index.ts'
import { marketTo, relink, serveMarket } from './market-server.ts'
import { describe, expect, test } from 'vitest'

const tell = (channels: ChannelSubscriptions): string[] => {
  const told: string[] = []
  channels.on('status', ({ subscription: { channel, status } }) =>
    told.push(`${channel} ${status}`),
  )
  return told
}

const reports = (channels: ChannelSubscriptions): ChannelNotices['restored'][] => {
  const told: ChannelNotices['restored'][] = []
  channels.on('restored', (report) => told.push(report))
  return told
}

const names = (channels: ChannelSubscriptions, status?: ChannelStatus): string[] =>
  channels.list(status).map(({ channel }) => channel)

const isTimeout = (error: unknown): boolean => error instanceof TimeoutError

const rejected = { code: 'rejected', message: 'no such channel' }

describe('a channel', () => {
  test('is asked for once however often it is subscribed to, and ended once; one that is not known is ignored', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    await transport.connect()
    const [first] = await channels.subscribe(['a'])
    const [again] = await channels.subscribe(['a', 'a'])
    expect(again).toEqual(first)
    await channels.subscribe(['b'])
    expect(server.log).toEqual(['subscribe a', 'subscribe b'])
    expect(names(channels)).toEqual(['a', 'b'])
    await channels.unsubscribe(['a', 'never'])
    await channels.unsubscribe(['a'])
    expect(server.log.slice(2)).toEqual(['unsubscribe a'])
    expect(names(channels, 'confirmed')).toEqual(['b'])
    expect(server.channels).toEqual(['b'])
  })

  test.each(['by-request', 'by-channel', 'by-state'] as const)(
    'that the server confirms is tracked, one that it refuses is not, and both are told (%s)',
    async (style) => {
      const server = await serveMarket(style)
      const { transport, channels } = marketTo(server)
      await transport.connect()
      const told = tell(channels)
      server.refused.add('bad')
      const [good] = await channels.subscribe(['good'])
      await expect(channels.subscribe(['bad'])).rejects.toMatchObject({ code: 'rejected' })
      expect(told).toEqual(['good pending', 'good confirmed', 'bad pending', 'bad failed'])
      expect(good).toMatchObject({ channel: 'good', status: 'confirmed' })
      expect(names(channels, 'confirmed')).toEqual(['good'])
      expect(names(channels, 'failed')).toEqual(['bad'])
    },
  )

  test('is found by its name and its status, and its status by its id', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    server.refused.add('bad')
    server.ignored.add('silent')
    await transport.connect()
    await channels.subscribe(['a', 'b'])
    await channels.unsubscribe(['b'])
    await channels.subscribe(['bad']).catch(() => {})
    const waiting = channels.subscribe(['silent'])
    waiting.catch(() => {})
    const stand = Object.fromEntries(
      ['a', 'b', 'bad', 'silent'].map((name) => [name, channels.find(name)?.status]),
    )
    expect(stand).toEqual({ a: 'confirmed', b: 'unsubscribed', bad: 'failed', silent: 'pending' })
    for (const { id, channel, status } of channels.list()) {
      expect(channels.status(id)).toBe(status)
      expect(names(channels, status)).toEqual([channel])
    }
    expect(channels.status('unknown')).toBeUndefined()
    expect(channels.find('unknown')).toBeUndefined()
    await transport.close()
    await expect(waiting).rejects.toMatchObject({ code: 'closed' })
    await expect(channels.subscribe(['a'])).rejects.toMatchObject({ code: 'closed' })
  })

  test('has its history, reasons included; after its end it is another subscription', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    await transport.connect()
    server.refused.add('a')
    await channels.subscribe(['a']).catch(() => {})
    const failed = channels.find('a')
    server.refused.clear()
    await channels.subscribe(['a'])
    await relink(server, transport)
    await channels.unsubscribe(['a'])
    const steps = channels
      .list()
      .map(({ history }) =>
        history.map(({ status, reason }) => [status, reason].filter(Boolean).join(': ')),
      )
    expect(steps).toEqual([
      ['pending', 'failed: no such channel'],
      ['pending', 'confirmed', 'pending: restoring', 'confirmed', 'unsubscribed'],
    ])
    expect(channels.find('a')?.id).not.toBe(failed?.id)
    const times = channels.list().flatMap(({ history }) => history.map(({ at }) => at))
    expect(times.every((at) => Math.abs(Date.now() - at) < 60_000)).toBe(true)
  })

  test('of which only a tick comes is not added, and an unsubscribed one is not restored even if a tick comes later', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    const all = await collect(transport, '>')
    await channels.subscribe(['a', 'b'])
    await channels.unsubscribe(['a'])
    server.tick('a', 1)
    server.tick('stranger', 2)
    await until(() => all.events.length === 2, 'the ticks come')
    expect(names(channels)).toEqual(['a', 'b'])
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['subscribe b'])
    expect(channels.find('a')?.status).toBe('unsubscribed')
  })

  test('is still subscribed to after it was subscribed to, ended and subscribed to again in one turn', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    await transport.connect()
    const first = channels.subscribe(['a'])
    const ended = channels.unsubscribe(['a'])
    const second = channels.subscribe(['a'])
    await expect(first).rejects.toMatchObject({ code: 'aborted' })
    await Promise.all([ended, second])
    expect(server.channels).toEqual(['a'])
    expect(server.log).toEqual(['subscribe a'])
  })
})

describe('answers', () => {
  test('to unknown requests and messages about something else change nothing and are no mistakes', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    await transport.connect()
    const notices = record(transport)
    server.ignored.add('a')
    const waiting = channels.subscribe(['a'])
    await until(() => server.log.length === 1, 'it asks')
    server.mock.inject({ op: 'ok', id: 999 })
    server.mock.inject({ op: 'refused', id: 999, why: 'x' })
    server.mock.inject({ op: 'ok', channel: 'other' })
    server.mock.inject({ op: 'refused', channel: 'other', why: 'x' })
    server.mock.inject('"nonsense"')
    await until(() => only(notices, 'undeliverable').length > 0, 'the nonsense is read')
    expect(only(notices, 'undeliverable')).toMatchObject([{ raw: '"nonsense"' }])
    expect(channels.find('a')?.status).toBe('pending')
    server.mock.inject({ op: 'ok', id: 1 })
    await waiting
    server.mock.inject({ op: 'ok', id: 1 })
    const sink = await collect(transport, '>')
    server.tick('a', 1)
    await until(() => sink.events.length === 1, 'the next frame is read')
    expect(only(notices, 'undeliverable')).toHaveLength(1)
  })

  test('may come for each channel alone, in any order, with ticks in between', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    const sink = await collect(transport, '>')
    server.ignored.add('a')
    const waiting = channels.subscribe(['a', 'b', 'c'])
    await until(() => server.log.length === 1, 'it asks')
    for (const channel of ['c', 'a']) {
      server.mock.inject({ op: 'ok', channel })
      server.tick(channel, channel)
    }
    server.mock.inject({ op: 'refused', channel: 'b', why: 'no such channel' })
    await expect(waiting).rejects.toMatchObject(rejected)
    expect(names(channels, 'confirmed')).toEqual(['a', 'c'])
    await until(() => sink.events.length === 2, 'the ticks come')
    server.log.length = 0
    server.ignored.clear()
    await relink(server, transport)
    expect(server.log).toEqual(['subscribe a c'])
  })

  test('that never come let the channel expire, on the clock that was given, and the server is told', async () => {
    const server = await serveMarket()
    const clock = new FakeClock()
    const { transport, channels } = marketTo(server, { clock, expiresMs: 700 })
    await transport.connect()
    server.ignored.add('a')
    const waiting = channels.subscribe(['a'])
    waiting.catch(() => {})
    await until(() => server.log.length === 1, 'it asks')
    clock.advance(699)
    expect(channels.find('a')?.status).toBe('pending')
    clock.advance(1)
    await expect(waiting).rejects.toMatchObject({ code: 'timeout' })
    expect(channels.find('a')?.status).toBe('expired')
    server.ignored.clear()
    await until(() => server.log.length === 2, 'the server is told')
    expect(server.log[1]).toBe('unsubscribe a')
    // A late answer does not bring it back.
    server.mock.inject({ op: 'ok', channel: 'a' })
    await channels.subscribe(['b'])
    expect(channels.find('a')?.status).toBe('expired')
    await until(() => clock.pending === 0, 'no timer is left')
  })

  test('to one request do not hold up the next for longer than they may take', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server, { expiresMs: 500 })
    await transport.connect()
    server.ignored.add('a')
    const lost = channels.subscribe(['a'])
    lost.catch(() => {})
    await channels.subscribe(['b'])
    await expect(lost).rejects.toMatchObject({ code: 'timeout' })
    expect(names(channels, 'confirmed')).toEqual(['b'])
  })

  test('are not waited for from a server that gives none', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server, { answer: undefined } as object)
    await transport.connect()
    server.ignored.add('a')
    await channels.subscribe(['a'])
    await channels.unsubscribe(['a'])
    await until(() => server.log.length === 2, 'both were sent')
    expect(server.log).toEqual(['subscribe a', 'unsubscribe a'])
  })

  test('that cannot be read are told as the cause of the expiry', async () => {
    const server = await serveMarket()
    const answer = (): never => {
      throw new TypeError('no member op')
    }
    const { transport, channels } = marketTo(server, { answer, expiresMs: 50 })
    await transport.connect()
    await expect(channels.subscribe(['a'])).rejects.toMatchObject({
      code: 'timeout',
      cause: { message: 'no member op' },
    })
  })
})

test('an error that is about no request and no channel is reported', async () => {
  const server = await serveMarket()
  const { transport } = marketTo(server)
  const notices = record(transport)
  await transport.connect()
  server.mock.inject({ op: 'refused', why: 'too slow' })
  await until(() => only(notices, 'error').length > 0, 'it is told')
  expect(only(notices, 'error')).toMatchObject([
    { kind: 'subscription', error: { code: 'rejected', message: 'too slow' } },
  ])
})

describe('a server that ends a channel by itself', () => {
  test('makes it fail, with the reason, and it is not asked for again', async () => {
    const server = await serveMarket('by-channel')
    const { transport, channels } = marketTo(server)
    await transport.connect()
    await channels.subscribe(['a', 'b'])
    server.mock.inject({ op: 'ended', channel: 'a', why: 'expired contract' })
    await until(() => channels.find('a')?.status === 'failed', 'it is noticed')
    expect(channels.find('a')?.history.at(-1)).toMatchObject({
      reason: 'The server has ended `a`: expired contract',
    })
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['subscribe b'])
  })

  test('is understood when it tells what it goes on with', async () => {
    const server = await serveMarket('by-state')
    const { transport, channels } = marketTo(server)
    await transport.connect()
    await channels.subscribe(['a'])
    await channels.subscribe(['b'])
    await channels.unsubscribe(['b'])
    expect(names(channels, 'confirmed')).toEqual(['a'])
    server.mock.inject({ op: 'now', channels: [] })
    await until(() => channels.find('a')?.status === 'failed', 'it is noticed')
  })
})

describe('a new link', () => {
  test('is asked for nothing where nothing is wanted, for one channel, and for many with one message', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    const told = reports(channels)
    await transport.connect()
    await relink(server, transport)
    expect(server.log).toEqual([])
    await channels.subscribe(['a'])
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['subscribe a'])
    await channels.subscribe(['b'])
    await channels.subscribe(['c'])
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['subscribe a b c'])
    expect(told).toEqual([
      { confirmed: ['a'], failed: [] },
      { confirmed: ['a', 'b', 'c'], failed: [] },
    ])
  })

  test('is not asked again where that is switched off, but for what the bus wants', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server, { restore: false })
    await collect(transport, 'wanted')
    await channels.subscribe(['a'])
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['subscribe wanted'])
    expect(channels.find('a')?.status).toBe('failed')
  })

  test('is asked for exactly the confirmed ones, and for what somebody still waits for', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server, { expiresMs: 500 })
    await transport.connect()
    server.refused.add('refused')
    server.ignored.add('expired')
    await channels.subscribe(['a', 'b', 'gone'])
    await channels.unsubscribe(['gone'])
    await channels.subscribe(['refused']).catch(() => {})
    await channels.subscribe(['expired']).catch(() => {})
    expect(names(channels, 'expired')).toEqual(['expired'])
    await until(() => server.log.at(-1) === 'unsubscribe expired', 'all is said')
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['subscribe a b'])
  })

  test('gives an answer that the one before did not live to give', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    await transport.connect()
    server.ignored.add('a')
    const waiting = channels.subscribe(['a'])
    await until(() => server.log.length === 1, 'it asks')
    server.ignored.clear()
    await relink(server, transport)
    await expect(waiting).resolves.toMatchObject([{ channel: 'a', status: 'confirmed' }])
  })

  test('that refuses a channel gets the others all the same, and the outcome is told', async () => {
    const server = await serveMarket('by-channel')
    const { transport, channels } = marketTo(server)
    await transport.connect()
    await channels.subscribe(['a', 'b'])
    const told = reports(channels)
    server.refused.add('b')
    await relink(server, transport)
    expect(told).toMatchObject([{ confirmed: ['a'], failed: [{ channel: 'b', error: rejected }] }])
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['subscribe a'])
  })

  test('that answers for some channels only is used, and the others expire', async () => {
    const server = await serveMarket('by-channel')
    const { transport, channels } = marketTo(server, { expiresMs: 500 })
    await transport.connect()
    await channels.subscribe(['a', 'b'])
    const told = reports(channels)
    server.ignored.add('b')
    await relink(server, transport)
    expect(told).toMatchObject([
      { confirmed: ['a'], failed: [{ channel: 'b', error: { code: 'timeout' } }] },
    ])
    expect(channels.find('b')?.status).toBe('expired')
  })

  test('that answers nothing is given up for the next, and nothing is lost', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server, { expiresMs: 500 })
    await transport.connect()
    await channels.subscribe(['a'])
    const notices = record(transport)
    server.ignored.add('a')
    server.mock.faults.reset()
    const failures = (): unknown[] => only(notices, 'error').map(({ error }) => error)
    await until(() => failures().some(isTimeout), 'the attempt fails')
    expect(only(notices, 'open')).toEqual([])
    server.ignored.clear()
    await until(() => transport.status.state === 'ready', 'ready again')
    expect(channels.find('a')?.status).toBe('confirmed')
    expect(server.channels).toEqual(['a'])
  })

  test('of a server that was restarted is asked again before it is told of, and ticks go on', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    const sink = await collect(transport, '>')
    await channels.subscribe(['a', 'b'])
    server.log.length = 0
    transport.on('open', () => server.log.push('open'))
    channels.on('restored', () => server.log.push('restored'))
    const links = server.mock.connections.length
    await server.mock.restart()
    await server.mock.waitForConnection({ index: links })
    await until(() => server.log.includes('open'), 'it is told')
    expect(server.log).toEqual(['subscribe a b', 'restored', 'open'])
    server.tick('a', 1)
    await until(() => sink.events.length === 1, 'the tick comes')
  })
})

describe('the state', () => {
  test('that was exported and imported is the same, and a new client asks for exactly the confirmed ones', async () => {
    const server = await serveMarket()
    const before = marketTo(server)
    await before.transport.connect()
    server.refused.add('bad')
    await before.channels.subscribe(['a', 'b', 'gone'])
    await before.channels.unsubscribe(['gone'])
    await before.channels.subscribe(['bad']).catch(() => {})
    const state = before.channels.exportState()
    await before.transport.close()
    expect(before.channels.exportState()).toBe(state)

    const after = marketTo(server)
    after.channels.importState(state)
    expect(after.channels.exportState()).toBe(state)
    expect(after.channels.list()).toEqual(before.channels.list())
    const told = reports(after.channels)
    server.log.length = 0
    await after.transport.connect()
    expect(server.log).toEqual(['subscribe a b'])
    expect(told).toEqual([{ confirmed: ['a', 'b'], failed: [] }])
    await after.channels.unsubscribe(['a'])
    expect(server.channels).toEqual(['b'])
  })

  test('is asked for at once where there is a link, and what is known already stays as it is', async () => {
    const server = await serveMarket('by-channel')
    const [one, two] = [marketTo(server), marketTo(server)]
    await Promise.all([one.transport.connect(), two.transport.connect()])
    await one.channels.subscribe(['a', 'b', 'c'])
    const [own] = await two.channels.subscribe(['a'])
    const told = reports(two.channels)
    server.refused.add('c')
    server.log.length = 0
    two.channels.importState(one.channels.exportState())
    two.channels.importState(one.channels.exportState())
    await until(() => told.length > 0, 'the outcome is told')
    expect(server.log).toEqual(['subscribe b c'])
    expect(told[0]).toMatchObject({ confirmed: ['b'], failed: [{ channel: 'c' }] })
    expect(two.channels.find('a')).toEqual(own)
  })

  test('that is bad is refused with a typed error, and nothing of it is merged', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server, { maxChannels: 2 })
    await transport.connect()
    await channels.subscribe(['a'])
    const before = channels.exportState()
    const saved = (channel: string, status: string): object => ({
      id: channel,
      channel,
      history: [{ status, at: 1 }],
    })
    const stateOf = (...subscriptions: object[]): string =>
      JSON.stringify({ version: 1, subscriptions })
    const bad = [stateOf(saved('b', 'confirmed'), saved('c', 'nonsense')), 'nonsense']
    for (const json of bad) {
      expect(() => channels.importState(json)).toThrow(expect.objectContaining({ code: 'config' }))
    }
    const many = stateOf(saved('b', 'confirmed'), saved('c', 'pending'))
    expect(() => channels.importState(many)).toThrow(
      expect.objectContaining({ code: 'queue-full' }),
    )
    expect(channels.exportState()).toBe(before)
    await transport.close()
    expect(() => channels.importState(before)).toThrow(expect.objectContaining({ code: 'closed' }))
  })
})

describe('with a bus', () => {
  test('a channel is asked for as its events are subscribed to, and ended with the last of them', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    const bus = createBus({ transport })
    const got: unknown[] = []
    const first = await bus.subscribe('ticker.btc', ({ payload }) => void got.push(payload))
    const second = await bus.subscribe('ticker.btc', () => {})
    await channels.subscribe(['ticker.btc'])
    expect(server.log).toEqual(['subscribe ticker.btc'])
    server.tick('ticker.btc', 1)
    await until(() => got.length === 1, 'the tick comes')
    await first.unsubscribe()
    await second.unsubscribe()
    expect(server.channels).toEqual(['ticker.btc'])
    await channels.unsubscribe(['ticker.btc'])
    expect(server.channels).toEqual([])
    await bus.close()
  })

  test('a pattern with wildcards asks for nothing and gets what others bring', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    const sink = await collect(transport, 'ticker.*')
    expect(server.log).toEqual([])
    await channels.subscribe(['ticker.btc'])
    server.tick('ticker.btc', 1)
    await until(() => sink.events.length === 1, 'the tick comes')
  })

  test('the channels of a pattern are what a function says', async () => {
    const server = await serveMarket()
    const channelsOf = (pattern: string): string[] => [`${pattern}@trade`, `${pattern}@book`]
    const { transport } = marketTo(server, { channelsOf })
    await collect(transport, 'btc', 'eth')
    expect(server.log).toEqual(['subscribe btc@trade btc@book eth@trade eth@book'])
  })

  test.each([
    [
      'a ConfigError',
      () => ConfigError.expected('pattern', 'to be known', 'bad'),
      { code: 'config' },
    ],
    ['anything else', () => new TypeError('no such market'), { code: 'rejected' }],
  ])(
    'a pattern for which the function throws %s ends its subscription alone, before the link and on it',
    async (_, makeError, expected) => {
      const server = await serveMarket()
      const channelsOf = (pattern: string): string[] => {
        if (pattern.startsWith('bad')) throw makeError()
        return [pattern]
      }
      const { transport } = marketTo(server, { channelsOf })
      const [bad, good] = ['bad', 'good'].map((name) =>
        transport.subscribe([name], new Collector()),
      )
      await expect(bad?.live).rejects.toMatchObject(expected)
      await good?.live
      await expect(transport.subscribe(['bad.too'], new Collector()).live).rejects.toMatchObject(
        expected,
      )
      expect(transport.status.state).toBe('ready')
      expect(server.channels).toEqual(['good'])
    },
  )

  test('a refused channel ends its subscription alone, and the other channels of it', async () => {
    const server = await serveMarket('by-channel')
    const { transport, channels } = marketTo(server)
    await collect(transport, 'good')
    server.refused.add('bad')
    const feed = transport.subscribe(['other', 'bad'], new Collector())
    await expect(feed.live).rejects.toMatchObject(rejected)
    await until(() => server.channels.join() === 'good', 'the server is told')
    expect(names(channels, 'confirmed')).toEqual(['good'])
  })

  test('all is asked for with one message on a new link, and a channel that it refuses once', async () => {
    const server = await serveMarket('by-channel')
    const { transport, channels } = marketTo(server)
    await collect(transport, 'a')
    await collect(transport, 'b')
    await channels.subscribe(['c'])
    const notices = record(transport)
    server.log.length = 0
    server.refused.add('b')
    await relink(server, transport)
    expect(server.log).toEqual(['subscribe a b c'])
    expect(only(notices, 'subscriptions-restored')).toEqual([{ patterns: ['a'] }])
    expect(only(notices, 'subscriptions-failed')).toMatchObject([
      { patterns: ['b'], error: rejected },
    ])
    server.refused.clear()
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['subscribe a c b'])
    expect(only(notices, 'subscriptions-restored').at(-1)).toEqual({ patterns: ['a', 'b'] })
  })

  test('a subscription that ended while there was no link is not asked for again', async () => {
    const server = await serveMarket()
    const { transport, channels } = marketTo(server)
    const a = await collect(transport, 'a')
    await collect(transport, 'b')
    server.log.length = 0
    await server.mock.restart({
      whileDown: async () => {
        await until(() => transport.status.state !== 'ready', 'the loss is seen')
        await a.feed.unsubscribe()
      },
    })
    await until(() => transport.status.state === 'ready', 'ready again')
    expect(server.log).toEqual(['subscribe b'])
    expect(channels.find('a')?.status).toBe('unsubscribed')
  })
})
