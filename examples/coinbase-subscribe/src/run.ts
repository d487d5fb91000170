/** The example: subscribed to in time, a message that is missing, and a connection that breaks. */
import { createBus, type Event } from '@bus/core'
import { coinbase } from './coinbase.ts'
import type { FeedGap, FeedMessage } from './coinbase-feed.ts'
import { MockCoinbase } from './mock-coinbase.ts'

/** Runs against a mock of Coinbase and tells what happens, line by line. */
export async function run(print: (line: string) => void): Promise<void> {
  await using mock = await MockCoinbase.start()
  const { transport, protocol } = coinbase().open({
    url: mock.url,
    reconnect: { backoff: () => 50 },
  })
  await using bus = createBus({ transport })
  const feed = new Feed(print)
  const subscribed = [
    bus.subscribe('full.BTC-USD', (event) => feed.message(event)),
    bus.subscribe('ticker.ETH-USD', (event) => feed.message(event)),
    bus.subscribe('gap.*', (event) => feed.gap(event)),
  ]
  await bus.connect()
  await Promise.all(subscribed)
  print(`ready: ${mock.requests.join('; ')}`)

  mock.happen('full:BTC-USD', { type: 'received' })
  mock.happen('ticker:ETH-USD', { type: 'ticker', price: '2500.00' })
  mock.happen('full:BTC-USD', { type: 'open', price: '50000.00' })
  mock.miss('BTC-USD')
  mock.happen('full:BTC-USD', { type: 'match', price: '50000.00' })
  await feed.until(5)

  await bus.subscribe('ticker.FOO-USD', () => {}).catch((error: unknown) => print(String(error)))

  mock.requests.length = 0
  const isBack = new Promise<void>((resolve) => {
    transport.on('open', () => resolve(), { once: true })
  })
  protocol.channels.on('restored', ({ confirmed }) => print(`restored: ${confirmed.join(', ')}`))
  mock.cut()
  mock.miss('BTC-USD')
  mock.miss('BTC-USD')
  await isBack
  print(`back: ${mock.requests.join('; ')}`)
  mock.happen('full:BTC-USD', { type: 'done' })
  await feed.until(7)
}

/** What came, and who waits for it. */
class Feed {
  readonly #print: (line: string) => void
  #count = 0
  #wake: () => void = () => {}

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  message({ type, payload }: Event): void {
    const { type: kind, sequence, price = '-' } = payload as FeedMessage & { price?: string }
    this.#tell(`${type} ${sequence}: ${kind} ${price}`)
  }

  gap({ type, payload }: Event): void {
    const { missing, before } = payload as FeedGap
    this.#tell(`${type}: ${missing} missing before ${before}`)
  }

  async until(count: number): Promise<void> {
    while (this.#count < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #tell(line: string): void {
    this.#print(line)
    this.#count += 1
    this.#wake()
  }
}
