/** A price server that lets in who signs with its secret, and forgets who that was after a while. */
import { createHmac } from 'node:crypto'
import { startMockServer, type MockConnection, type MockServer } from '@bus/testing'

interface Request {
  readonly type: string
  readonly channel?: string
  readonly api_key?: string
  readonly timestamp?: number
  readonly signature?: string
}

/** The secret of the key `trader`. */
export const SECRET = 'between us'

/** Disposing of it ends it. */
export class PriceServer implements AsyncDisposable {
  /** What its clients asked for, over all connections. */
  readonly log: string[] = []
  readonly #mock: MockServer
  #sessions = 0

  private constructor(mock: MockServer) {
    this.#mock = mock
  }

  static async start(): Promise<PriceServer> {
    const server: { current?: PriceServer } = {}
    const mock = await startMockServer({
      handler: ({ data }, connection) => server.current?.take(String(data), connection),
    })
    return (server.current = new PriceServer(mock))
  }

  get url(): string {
    return this.#mock.url
  }

  /** Sends a price to every client. */
  tick(channel: string, price: number): void {
    this.#mock.inject({ type: 'tick', channel, price })
  }

  /** Ends every connection. */
  restart(): void {
    this.#mock.disconnect(1012, 'restarting')
  }

  take(text: string, connection: MockConnection): void {
    const request = JSON.parse(text) as Request
    this.log.push([request.type, request.channel].join(' ').trim())
    if (request.type === 'auth') connection.send(this.#admit(request))
    else connection.send({ type: `${request.type}d`, channel: request.channel })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mock.close()
  }

  /** The first session lasts for four seconds, so that the renewal can be seen; the others last for an hour. */
  #admit({ api_key: key, timestamp, signature }: Request): object {
    const expected = createHmac('sha256', SECRET).update(`${key}${timestamp}`).digest('hex')
    if (signature !== expected) return { type: 'auth_error', reason: 'bad signature' }
    this.#sessions++
    return { type: 'auth_success', expires_in: this.#sessions === 1 ? 4 : 3_600 }
  }
}
