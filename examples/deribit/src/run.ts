/** The example: prices and orders over one connection, which breaks once. */
import { createBus, type TransportEvents } from '@bus/core'
import type { WebSocketTransport } from '@bus/websocket'
import { deribit } from './deribit.ts'
import { buy } from './methods.ts'
import { MockDeribit } from './mock-deribit.ts'

const TICKER = 'ticker.BTC-PERPETUAL.raw'

interface Tick {
  readonly last_price: number
}

/** Runs against a mock of Deribit and tells what happens, line by line. */
export async function run(print: (line: string) => void): Promise<void> {
  await using mock = await MockDeribit.start()
  const platform = deribit({ clientId: 'me', clientSecret: 'secret' })
  const { transport, protocol: rpc } = platform.open({
    url: mock.url,
    reconnect: { backoff: () => 50 },
  })
  await using bus = createBus({ transport })
  const prices: number[] = []
  await bus.subscribe(TICKER, (event) => {
    prices.push((event.payload as Tick).last_price)
  })
  print(`ready: ${mock.methods.join(', ')}`)

  mock.tick()
  await until(() => prices.length === 1)
  print(`price: ${prices.join()}`)

  const limit = { instrument_name: 'BTC-PERPETUAL', type: 'limit', price: 50_000 } as const
  const { order } = await rpc.request(buy, { ...limit, amount: 10 })
  await until(() => prices.length === 4)
  print(
    `bought: ${order.order_id} is ${order.order_state}; prices meanwhile: ${prices.slice(1).join()}`,
  )
  await rpc
    .request(buy, { ...limit, amount: 10_000 })
    .catch((error: unknown) => print(String(error)))

  await bus.subscribe('ticker.NONE.raw', () => {}).catch((error: unknown) => print(String(error)))

  mock.testRequest()
  await mock.server.waitForMessage({ method: 'public/test' })
  print('heartbeat: answered')

  mock.methods.length = 0
  const isBack = next(transport, 'open')
  const positions = rpc
    .request('private/get_positions')
    .catch((error: unknown) => print(String(error)))
  await mock.server.waitForMessage({ method: 'private/get_positions' })
  mock.cut()
  await positions
  await isBack
  print(`back: ${mock.methods.slice(1).join(', ')}`)
  prices.length = 0
  mock.tick()
  await until(() => prices.length === 1)
  print(`price: ${prices.join()}`)
}

/** The next notice of this name. */
function next<K extends keyof TransportEvents>(
  transport: WebSocketTransport,
  name: K,
): Promise<TransportEvents[K]> {
  return new Promise((resolve) => {
    transport.on(name, resolve, { once: true })
  })
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}
