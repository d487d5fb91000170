/** A server that speaks Deribit's dialect, as far as the example needs it. */
import {
  startMockServer,
  type MockConnection,
  type MockMessage,
  type MockServer,
} from '@bus/testing'

interface Request {
  readonly id: string | number
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

const TICKER = 'ticker.BTC-PERPETUAL.raw'
const GRANTED = { access_token: 'token', expires_in: 900, token_type: 'bearer' }

/** What a refused request is answered with. */
class Refusal extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Remembers what it was asked for, and which channels each connection has. */
export class MockDeribit implements AsyncDisposable {
  readonly server: MockServer
  /** The methods that came, over all connections. */
  readonly methods: string[] = []
  readonly #channels = new Map<MockConnection, Set<string>>()
  #price = 50_000

  private constructor(server: MockServer) {
    this.server = server
  }

  static async start(): Promise<MockDeribit> {
    const mock: MockDeribit = new MockDeribit(
      await startMockServer({ handler: (message, connection) => mock.#take(message, connection) }),
    )
    return mock
  }

  get url(): string {
    return this.server.url
  }

  /** Sends the next price to every client of the channel. */
  tick(): void {
    this.#price += 1
    const data = { instrument_name: 'BTC-PERPETUAL', last_price: this.#price }
    for (const connection of this.server.live) {
      if (this.#channels.get(connection)?.has(TICKER) !== true) continue
      const params = { channel: TICKER, data }
      connection.send({ jsonrpc: '2.0', method: 'subscription', params })
    }
  }

  /** Sends a heartbeat request to every client. */
  testRequest(): void {
    this.server.inject({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'test_request' } })
  }

  /** Breaks every connection. */
  cut(): void {
    this.server.faults.reset()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server.close()
  }

  #take({ json }: MockMessage, connection: MockConnection): void {
    const { id, method, params } = json as Request
    this.methods.push(method)
    try {
      const result = this.#answer(method, params, connection)
      if (result !== undefined) connection.send({ jsonrpc: '2.0', id, result })
    } catch (error) {
      const { code, message } = error as Refusal
      connection.send({ jsonrpc: '2.0', id, error: { code, message } })
    }
  }

  /** `undefined`: it is never answered. */
  #answer(method: string, params: Request['params'], connection: MockConnection): unknown {
    switch (method) {
      case 'public/set_heartbeat':
        return 'ok'
      case 'public/test':
        return { version: '1.2.26' }
      case 'public/auth':
        if (params['client_secret'] === 'secret') return GRANTED
        throw new Refusal(13_004, 'invalid_credentials')
      case 'public/subscribe':
        return this.#subscribe(params['channels'] as string[], connection)
      case 'private/buy':
        return this.#buy(params['amount'] as number)
      case 'private/get_positions':
        return undefined
      default:
        throw new Refusal(-32_601, 'Method not found')
    }
  }

  #subscribe(channels: readonly string[], connection: MockConnection): readonly string[] {
    const taken = channels.filter((channel) => channel === TICKER)
    const mine = this.#channels.get(connection) ?? new Set()
    this.#channels.set(connection, new Set([...mine, ...taken]))
    return taken
  }

  /** Prices go on coming before the answer does. */
  #buy(amount: number): unknown {
    for (let n = 0; n < 3; n++) this.tick()
    if (amount > 1_000) throw new Refusal(10_009, 'not_enough_funds')
    return { order: { order_id: 'BTC-1', order_state: 'open' } }
  }
}
