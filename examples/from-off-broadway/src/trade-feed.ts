/** A mock of the feed: a subscriber gets the trades from the current position on. */
import { startMockServer, type MockConnection, type MockServer } from '@bus/testing'
import type { Trade } from './trades.ts'

const PER_FRAME = 10

export class TradeFeed implements AsyncDisposable {
  readonly #server: MockServer
  /** Who subscribed last. */
  #reader: MockConnection | undefined
  #position = 0
  #end = 0

  private constructor(server: MockServer) {
    this.#server = server
  }

  static async start(): Promise<TradeFeed> {
    let feed: TradeFeed | undefined
    const server = await startMockServer({
      handler: ({ data }, connection) => {
        if (data !== 'subscribe trades') return
        connection.send('alive')
        feed?.serve(connection)
      },
    })
    feed = new TradeFeed(server)
    return feed
  }

  get url(): string {
    return this.#server.url
  }

  /** There are trades up to this one from now on. */
  tradeUntil(n: number): void {
    this.#end = n
    this.#send()
  }

  /** Sends to this one from now on. */
  serve(connection: MockConnection): void {
    this.#reader = connection
    this.#send()
  }

  /** Breaks the link, and is not well when it is dialed again. */
  stumble(): void {
    this.#reader = undefined
    this.#server.faults.refuse(503, { times: 1 })
    this.#server.faults.reset()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.close()
  }

  #send(): void {
    while (this.#reader !== undefined && this.#position < this.#end) {
      const list: Trade[] = Array.from({ length: PER_FRAME }, (_, i) => {
        const n = this.#position + 1 + i
        return { n, price: 100 + (n % 7) }
      })
      this.#position += PER_FRAME
      this.#reader.send(JSON.stringify({ list }))
    }
  }
}
