/** A server that speaks as Binance's combined streams do, as far as the example needs it. */
import {
  startMockServer,
  type MockConnection,
  type MockMessage,
  type MockServer,
} from '@bus/testing'

interface Request {
  readonly id: number
  readonly method: 'SUBSCRIBE' | 'UNSUBSCRIBE'
  readonly params: readonly string[]
}

/** What the market has: the streams that are anything else are unknown. */
const STREAM = /^(btc|eth|bnb)usdt@(trade|ticker)$/

/** Remembers which streams each connection has. */
export class MockBinance implements AsyncDisposable {
  readonly server: MockServer
  /** The requests that came, over all connections. */
  readonly requests: string[] = []
  readonly #streams = new Map<MockConnection, Set<string>>()

  private constructor(server: MockServer) {
    this.server = server
  }

  static async start(): Promise<MockBinance> {
    const mock: MockBinance = new MockBinance(
      await startMockServer({
        path: '/stream',
        onConnection: (connection) => mock.#greet(connection),
        handler: (message, connection) => mock.#take(message, connection),
      }),
    )
    return mock
  }

  /** Where it is, without a path. */
  get url(): string {
    return `ws://127.0.0.1:${this.server.port}`
  }

  /** A trade, for every connection that has the stream. */
  trade(symbol: string, price: string): void {
    const stream = `${symbol}@trade`
    const data = { e: 'trade', s: symbol.toUpperCase(), p: price }
    for (const connection of this.server.live) {
      if (this.#streams.get(connection)?.has(stream) === true) connection.send({ stream, data })
    }
  }

  /** Breaks every connection. */
  cut(): void {
    this.server.faults.reset()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server.close()
  }

  #greet(connection: MockConnection): void {
    const streams = /\?streams=(.*)$/.exec(connection.request.url)?.[1] ?? ''
    this.#streams.set(connection, new Set(streams.split('/').filter((name) => STREAM.test(name))))
  }

  #take({ json }: MockMessage, connection: MockConnection): void {
    const { id, method, params } = json as Request
    this.requests.push(`${method} ${params.join(' ')}`)
    const mine = this.#streams.get(connection) ?? new Set()
    const unknown = params.filter((stream) => !STREAM.test(stream))
    if (unknown.length > 0) {
      const msg = `Invalid request: unknown stream ${unknown.join(', ')}`
      connection.send({ id, error: { code: 2, msg } })
      return
    }
    for (const stream of params) {
      if (method === 'SUBSCRIBE') mine.add(stream)
      else mine.delete(stream)
    }
    connection.send({ result: null, id })
  }
}
