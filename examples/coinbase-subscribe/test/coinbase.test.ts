import { readFileSync } from 'node:fs'
import { createBus, type Clock } from '@bus/core'
import { WebSocketTransport } from '@bus/websocket'
import { plainJson } from '@bus/websocket/protocol'
import { expect, test } from 'vitest'
import { coinbase } from '../src/coinbase.ts'
import { MockCoinbase } from '../src/mock-coinbase.ts'
import { run } from '../src/run.ts'
import { Sequence } from '../src/sequence.ts'

/** The output that the README shows. */
function documented(): string[] {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  return (/```text\n([^`]+)\n```/.exec(readme)?.[1] ?? '').split('\n')
}

/** Runs out of patience when the test says so. */
class Patience implements Clock {
  readonly waits: number[] = []
  #run: () => void = () => {}

  now(): number {
    return 0
  }

  setTimeout(call: () => void, ms: number): object {
    this.waits.push(ms)
    this.#run = call
    return {}
  }

  clearTimeout(): void {
    this.#run = () => {}
  }

  end(): void {
    this.#run()
  }
}

test('a subscription in time, a gap and a broken connection, as the README shows them', async () => {
  const lines: string[] = []
  await run((line) => lines.push(line))
  expect(lines).toEqual(documented())
})

test('a whole session: an order book, matches with holes in their numbers, and heartbeats', async () => {
  await using mock = await MockCoinbase.start()
  const { transport } = coinbase().open({ url: mock.url })
  await using bus = createBus({ transport })
  const got: string[] = []
  const note = (name: string) => (event: { readonly type: string; readonly payload: unknown }) =>
    void got.push(`${name}: ${event.type} ${(event.payload as { type: string }).type}`)
  const subscribed = [
    bus.subscribe('level2.BTC-USD', note('book')),
    bus.subscribe('matches.BTC-USD', note('matches')),
    bus.subscribe('heartbeat.ETH-USD', note('heartbeat')),
    bus.subscribe('gap.*', note('gap')),
  ]
  await bus.connect()
  await Promise.all(subscribed)
  mock.say({ type: 'snapshot', product_id: 'BTC-USD', asks: [['0.57', '2865.9']], bids: [] })
  mock.say({ type: 'l2update', product_id: 'BTC-USD', changes: [['sell', '0.58', '0']] })
  mock.say({ type: 'last_match', product_id: 'BTC-USD', sequence: 10 })
  mock.say({ type: 'match', product_id: 'BTC-USD', sequence: 19 })
  mock.say({ type: 'match', product_id: 'ETH-USD', sequence: 3 })
  mock.say({ type: 'heartbeat', product_id: 'ETH-USD', sequence: 4 })
  await expect.poll(() => got.length).toBe(5)
  expect(got.toSorted()).toEqual([
    'book: level2.BTC-USD l2update',
    'book: level2.BTC-USD snapshot',
    'heartbeat: heartbeat.ETH-USD heartbeat',
    'matches: matches.BTC-USD last_match',
    'matches: matches.BTC-USD match',
  ])
})

test('a channel that Coinbase does not have is refused at once, and nothing else', async () => {
  await using mock = await MockCoinbase.start()
  const { transport } = coinbase().open({ url: mock.url })
  await using bus = createBus({ transport })
  const bad = bus.subscribe('level9.BTC-USD', () => {})
  await bus.subscribe('ticker.BTC-USD', () => {})
  await expect(bad).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining('level2') as string,
  })
  expect(mock.requests).toEqual(['subscribe ticker:BTC-USD'])
})

test('who subscribes to nothing within five seconds is sent away', async () => {
  const clock = new Patience()
  await using mock = await MockCoinbase.start(clock)
  await using transport = new WebSocketTransport({
    url: mock.url,
    protocol: plainJson(),
    reconnect: false,
  })
  const closes: number[] = []
  transport.on('close', ({ code }) => closes.push(code))
  await transport.connect()
  expect(clock.waits).toEqual([5_000])
  clock.end()
  await expect.poll(() => closes).toEqual([1008])
})

test('who has subscribed by then stays', async () => {
  const clock = new Patience()
  await using mock = await MockCoinbase.start(clock)
  const { transport } = coinbase().open({ url: mock.url })
  await using bus = createBus({ transport })
  const subscribed = bus.subscribe('ticker.BTC-USD', () => {})
  await bus.connect()
  await subscribed
  clock.end()
  await bus.subscribe('full.BTC-USD', () => {})
  expect(mock.requests).toEqual(['subscribe ticker:BTC-USD', 'subscribe full:BTC-USD'])
  expect(transport.stats().reconnects).toBe(0)
})

test('what is no longer subscribed to is ended, and the rest goes on', async () => {
  await using mock = await MockCoinbase.start()
  const { transport, protocol } = coinbase().open({ url: mock.url })
  await using bus = createBus({ transport })
  const btc = await bus.subscribe('ticker.BTC-USD', () => {})
  await bus.subscribe(['ticker.ETH-USD', 'full.ETH-USD'], () => {})
  await btc.unsubscribe()
  expect(mock.requests.at(-1)).toBe('unsubscribe ticker:BTC-USD')
  const confirmed = protocol.channels.list('confirmed').map(({ channel }) => channel)
  expect(confirmed).toEqual(['ticker:ETH-USD', 'full:ETH-USD'])
})

test('an error that answers nothing is reported', async () => {
  await using mock = await MockCoinbase.start()
  const { transport } = coinbase().open({ url: mock.url })
  await using bus = createBus({ transport })
  const errors: string[] = []
  bus.on('error', ({ kind, error }) => errors.push(`${kind}: ${error.message}`))
  await bus.subscribe('ticker.BTC-USD', () => {})
  mock.server.inject({ type: 'error', message: 'slow consumer' })
  await expect.poll(() => errors).toEqual(['subscription: slow consumer'])
})

test('numbers follow each other, leave a gap, or were seen before', () => {
  const sequence = new Sequence()
  const steps = [7, 8, 10, 9, 10, 11].map((number) => sequence.take(number))
  expect(steps.map(({ kind }) => kind)).toEqual(['next', 'next', 'gap', 'old', 'old', 'next'])
  expect(steps[2]).toEqual({ kind: 'gap', missing: 1 })
})
