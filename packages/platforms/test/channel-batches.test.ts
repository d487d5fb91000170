import { describe, expect, test } from 'vitest'
import { until } from '@bus/test-support/websocket'
import { FakeClock } from '@bus/testing'
import type { BatchProgress, ChannelSubscriptions } from '../src/index.ts'
import { marketTo, serveMarket, type MarketServer } from './market-server.ts'

const numbered = (count: number): string[] => Array.from({ length: count }, (_, n) => `c${n}`)

interface Scene {
  readonly server: MarketServer
  readonly clock: FakeClock
  readonly channels: ChannelSubscriptions
}

async function scene(): Promise<Scene> {
  const server = await serveMarket()
  const clock = new FakeClock()
  const { transport, channels } = marketTo(server, { clock })
  await transport.connect()
  return { server, clock, channels }
}

const confirmed = (channels: ChannelSubscriptions): number => channels.list('confirmed').length

describe('subscribing in batches', () => {
  test('asks for so many at a time, waits in between, and tells how far it is', async () => {
    const { server, clock, channels } = await scene()
    const progress: BatchProgress[] = []
    const done = channels.subscribeBatch(numbered(5), {
      size: 2,
      delayMs: 300,
      onProgress: (now) => progress.push(now),
    })
    for (const batch of [1, 2]) {
      await until(() => progress.length === batch && clock.pending === 1, 'it waits')
      clock.advance(299)
      expect(server.log).toHaveLength(batch)
      clock.advance(1)
    }
    expect((await done).map(({ channel }) => channel)).toEqual(numbered(5))
    expect(server.log).toEqual(['subscribe c0 c1', 'subscribe c2 c3', 'subscribe c4'])
    expect(progress).toEqual([
      { confirmed: 2, total: 5, batch: 1, batches: 3 },
      { confirmed: 4, total: 5, batch: 2, batches: 3 },
      { confirmed: 5, total: 5, batch: 3, batches: 3 },
    ])
    expect(clock.pending).toBe(0)
  })

  test('takes ten at a time and waits 200 ms unless told otherwise', async () => {
    const { server, clock, channels } = await scene()
    const done = channels.subscribeBatch(numbered(11))
    await until(() => confirmed(channels) === 10 && clock.pending === 1, 'it waits')
    clock.advance(199)
    expect(server.log).toHaveLength(1)
    clock.advance(1)
    await done
    expect(server.log[1]).toBe('subscribe c10')
  })

  test('ends at once when it is cancelled while it waits, and keeps what was confirmed', async () => {
    const { server, clock, channels } = await scene()
    const abort = new AbortController()
    const done = channels.subscribeBatch(numbered(4), { size: 2, signal: abort.signal })
    await until(() => confirmed(channels) === 2 && clock.pending === 1, 'it waits')
    abort.abort('enough')
    await expect(done).rejects.toMatchObject({ code: 'aborted', cause: 'enough' })
    expect(clock.pending).toBe(0)
    expect(server.log).toEqual(['subscribe c0 c1'])
    expect(confirmed(channels)).toBe(2)
  })

  test('gives up the batch that is under way when it is cancelled, and the server is told', async () => {
    const { server, clock, channels } = await scene()
    const abort = new AbortController()
    server.ignored.add('c2')
    const done = channels.subscribeBatch(numbered(4), { size: 2, delayMs: 0, signal: abort.signal })
    done.catch(() => {})
    await until(() => confirmed(channels) === 2 && clock.pending === 1, 'it waits')
    clock.advance(0)
    await until(() => server.log.length === 2, 'the second batch is asked for')
    abort.abort()
    await expect(done).rejects.toMatchObject({ code: 'aborted' })
    expect(channels.find('c3')?.status).toBe('unsubscribed')
    server.ignored.clear()
    server.mock.inject({ op: 'ok', id: 2 })
    await until(() => server.channels.length === 2, 'the server is told')
    expect(server.channels).toEqual(['c0', 'c1'])
  })

  test('stops at the first failure and tells it', async () => {
    const { server, clock, channels } = await scene()
    const progress: number[] = []
    server.refused.add('c3')
    const done = channels.subscribeBatch(numbered(6), {
      size: 2,
      delayMs: 0,
      onProgress: (now) => progress.push(now.confirmed),
    })
    done.catch(() => {})
    await until(() => progress.length === 1 && clock.pending === 1, 'it waits')
    clock.advance(0)
    await expect(done).rejects.toMatchObject({ code: 'rejected' })
    expect(progress).toEqual([2])
    expect(server.log).toEqual(['subscribe c0 c1', 'subscribe c2 c3'])
  })

  test('of nothing asks for nothing', async () => {
    const { server, channels } = await scene()
    await expect(channels.subscribeBatch([])).resolves.toEqual([])
    await expect(channels.subscribe([])).resolves.toEqual([])
    expect(server.log).toEqual([])
  })

  test.each([
    ['size', { size: 0 }],
    ['delayMs', { delayMs: -1 }],
    ['signal', { signal: 7 }],
    ['onProgress', { onProgress: 7 }],
    ['sise', { sise: 7 }],
  ])('refuses a bad %s', async (path, options) => {
    const { channels } = await scene()
    await expect(channels.subscribeBatch(['a'], options as object)).rejects.toMatchObject({
      code: 'config',
      path,
    })
  })
})
