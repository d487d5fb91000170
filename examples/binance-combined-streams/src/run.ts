/** The example: two streams by URL, a third while the connection is open, and all three again after it broke. */
import { createBus } from '@bus/core'
import type { WebSocketTransport } from '@bus/websocket'
import { binance, combined } from './binance.ts'
import { MockBinance } from './mock-binance.ts'

interface Trade {
  readonly s: string
  readonly p: string
}

/** Runs against a mock of Binance and tells what happens, line by line. */
export async function run(print: (line: string) => void): Promise<void> {
  await using mock = await MockBinance.start()
  const streams = ['btcusdt@trade', 'ethusdt@trade']
  const { transport, protocol } = binance(...streams).open({
    url: combined(mock.url, streams),
    reconnect: { backoff: () => 50 },
  })
  await using bus = createBus({ transport })
  const trades = new Trades(print)
  await bus.subscribe('*.trade', (event) => trades.add(event.type, event.payload as Trade))
  await bus.connect()
  print(`connected: ${mock.server.connections[0]?.request.url}, ${mock.requests.length} requests`)

  mock.trade('btcusdt', '50000.00')
  mock.trade('ethusdt', '2500.00')
  mock.trade('bnbusdt', '600.00') // without a subscription
  await trades.until(2)

  await bus.subscribe('bnbusdt.trade', () => {})
  print(`asked: ${mock.requests.join('; ')}`)
  mock.trade('bnbusdt', '601.00')
  await trades.until(3)

  await bus.subscribe('dogeusdt.trade', () => {}).catch((error: unknown) => print(String(error)))

  mock.requests.length = 0
  const isBack = new Promise<void>((resolve) => {
    transport.on('open', () => resolve(), { once: true })
  })
  protocol.channels.on('restored', ({ confirmed }) => print(`restored: ${confirmed.join()}`))
  mock.cut()
  await isBack
  print(`back: ${requestOf(mock)}; ${mock.requests.join('; ')}`)
  mock.trade('btcusdt', '50001.00')
  mock.trade('bnbusdt', '602.00')
  await trades.until(5)
  print(status(transport))
}

/** What came, and who waits for it. */
class Trades {
  readonly #print: (line: string) => void
  #count = 0
  #wake: () => void = () => {}

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  add(type: string, { s: symbol, p: price }: Trade): void {
    this.#print(`${type}: ${symbol} at ${price}`)
    this.#count += 1
    this.#wake()
  }

  async until(count: number): Promise<void> {
    while (this.#count < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

const requestOf = ({ server }: MockBinance): string => String(server.connections[1]?.request.url)

function status(transport: WebSocketTransport): string {
  const { received, reconnects } = transport.stats()
  return `received ${received}, reconnected ${reconnects} time`
}
