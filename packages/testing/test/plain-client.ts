/** A bare `ws` client that records what happened to it and ends with its test. */
import { WebSocket, type ClientOptions } from 'ws'

const DEADLINE_MS = 5_000

/** What became of a dial that did not open. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** The client; dispose of it at the end of the test. */
export class PlainClient implements Disposable {
  readonly socket: WebSocket
  readonly messages: (string | Uint8Array)[] = []
  pings = 0
  pongs = 0
  closed: { code: number; reason: string } | undefined
  error: Error | undefined
  refusal: Refusal | undefined
  readonly #looks = new Set<() => void>()

  constructor(url: string, options: ClientOptions & { protocols?: string[] } = {}) {
    const { protocols = [], ...rest } = options
    this.socket = new WebSocket(url, protocols, { perMessageDeflate: false, ...rest })
    this.#listen()
  }

  /** A client whose connection is open. */
  static async open(
    url: string,
    options?: ClientOptions & { protocols?: string[] },
  ): Promise<PlainClient> {
    const client = new PlainClient(url, options)
    await client.until('to open', () => client.socket.readyState !== WebSocket.CONNECTING)
    if (client.error !== undefined) throw client.error
    return client
  }

  /** Resolves when the condition holds after something has happened to this client. */
  until(what: string, condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Waited for ${what}`)), DEADLINE_MS)
      const look = (): void => {
        if (!condition()) return
        clearTimeout(timer)
        this.#looks.delete(look)
        resolve()
      }
      this.#looks.add(look)
      look()
    })
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    await this.until('the close', () => this.closed !== undefined)
    return this.closed ?? { code: -1, reason: '' }
  }

  async untilMessages(count: number): Promise<readonly (string | Uint8Array)[]> {
    await this.until(`${count} messages`, () => this.messages.length >= count)
    return this.messages
  }

  [Symbol.dispose](): void {
    this.socket.terminate()
  }

  #listen(): void {
    const on = (event: string, take: (...args: never[]) => void): void => {
      this.socket.on(event, (...args) => {
        take(...(args as never[]))
        for (const look of this.#looks) look()
      })
    }
    on('open', () => {})
    on('error', (error: Error) => (this.error = error))
    on('ping', () => this.pings++)
    on('pong', () => this.pongs++)
    on('message', (data: Buffer, isBinary: boolean) =>
      this.messages.push(isBinary ? new Uint8Array(data) : data.toString()),
    )
    on('close', (code: number, reason: Buffer) => {
      this.closed = { code, reason: reason.toString() }
    })
    this.socket.on('unexpected-response', (request, response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        this.refusal = { status: response.statusCode ?? 0, headers: response.headers, body }
        request.destroy()
        this.socket.terminate()
      })
    })
  }
}
