/** A server that speaks as Coinbase's feed does, as far as the example needs it. */
import type { Clock, Timer } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import {
  startMockServer,
  type MockConnection,
  type MockMessage,
  type MockServer,
} from '@bus/testing'
import { fromLists, toLists, type ChannelList } from './channels.ts'

interface Request {
  readonly type: 'subscribe' | 'unsubscribe'
  readonly channels: readonly ChannelList[]
}

interface Client {
  readonly channels: Set<string>
  /** Runs until it has subscribed to something. */
  readonly patience: Timer
}

const PRODUCTS = new Set(['BTC-USD', 'ETH-USD'])

/** How long a client may say nothing. */
const PATIENCE_MS = 5_000

/** Remembers what each connection has, and numbers what happens. */
export class MockCoinbase implements AsyncDisposable {
  readonly server: MockServer
  /** The requests that came, over all connections. */
  readonly requests: string[] = []
  readonly #clock: Clock
  readonly #clients = new Map<MockConnection, Client>()
  readonly #sequences = new Map<string, number>()

  private constructor(server: MockServer, clock: Clock) {
    this.server = server
    this.#clock = clock
  }

  static async start(clock: Clock = systemClock): Promise<MockCoinbase> {
    const mock: MockCoinbase = new MockCoinbase(
      await startMockServer({
        onConnection: (connection) => mock.#greet(connection),
        handler: (message, connection) => mock.#take(message, connection),
      }),
      clock,
    )
    return mock
  }

  get url(): string {
    return this.server.url
  }

  /** Something happens at the exchange, for every connection that has the channel. */
  happen(channel: string, message: { readonly type: string; readonly price?: string }): void {
    const product = channel.split(':')[1] ?? ''
    const sequence = this.miss(product)
    for (const [connection, { channels }] of this.#clients) {
      if (channels.has(channel)) connection.send({ ...message, product_id: product, sequence })
    }
  }

  /** A message as it is, for every connection. */
  say(message: Readonly<Record<string, unknown>>): void {
    for (const connection of this.#clients.keys()) connection.send(message)
  }

  /** An event is lost: no client gets it. */
  miss(product: string): number {
    const sequence = (this.#sequences.get(product) ?? 100) + 1
    this.#sequences.set(product, sequence)
    return sequence
  }

  /** Breaks every connection. */
  cut(): void {
    this.server.faults.reset()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { patience } of this.#clients.values()) this.#clock.clearTimeout(patience)
    await this.server.close()
  }

  #greet(connection: MockConnection): void {
    const patience = this.#clock.setTimeout(() => {
      connection.close(1008, 'Subscribe within 5 seconds')
    }, PATIENCE_MS)
    this.#clients.set(connection, { channels: new Set(), patience })
  }

  #take({ json }: MockMessage, connection: MockConnection): void {
    const client = this.#clients.get(connection)
    if (client === undefined) return
    const { type, channels } = json as Request
    const asked = fromLists(channels)
    this.requests.push(`${type} ${asked.join(' ')}`)
    const unknown = channels.flatMap(({ product_ids: ids }) => ids).find((id) => !PRODUCTS.has(id))
    if (unknown !== undefined) {
      const reason = `${unknown} is not a valid product`
      connection.send({ type: 'error', message: 'Failed to subscribe', reason })
      return
    }
    this.#clock.clearTimeout(client.patience)
    for (const channel of asked) {
      if (type === 'subscribe') client.channels.add(channel)
      else client.channels.delete(channel)
    }
    connection.send({ type: 'subscriptions', channels: toLists([...client.channels]) })
  }
}
