/** A bare socket that passes each chunk to its current consumer, without allocating for it. */
import { connect, type Socket } from 'node:net'

/** Takes a chunk, which is overwritten after the call. */
export type TakeChunk = (chunk: Buffer) => void

/** A connection without any client library. */
export class RawConnection {
  readonly #socket: Socket
  #take: TakeChunk = () => {}
  #fail: ((error: Error) => void) | undefined

  private constructor(port: number, host: string, buffer: Buffer) {
    const callback = (bytes: number): boolean => {
      this.#take(buffer.subarray(0, bytes))
      return true
    }
    this.#socket = connect({ port, host, noDelay: true, onread: { buffer, callback } })
    this.#socket.on('error', (error) => this.#fail?.(error))
    this.#socket.on('close', () => this.#fail?.(new Error('The broker ended the connection')))
  }

  /** Connects to the host and port of a URL of any scheme. */
  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url)
    const connection = new RawConnection(Number(port), hostname, Buffer.allocUnsafeSlow(65_536))
    await new Promise<void>((resolve, reject) => {
      connection.#fail = reject
      connection.#socket.once('connect', resolve)
    })
    connection.#fail = undefined
    return connection
  }

  get isOpen(): boolean {
    return this.#socket.readyState === 'open'
  }

  send(data: string | Uint8Array): void {
    this.#socket.write(data)
  }

  /** From now on, chunks go to `take`. */
  onChunk(take: TakeChunk): void {
    this.#take = take
  }

  /** Resolves with everything received from now on, once that holds `text`. */
  async expect(text: string | Uint8Array): Promise<Buffer> {
    const wanted = Buffer.from(text)
    let received = Buffer.alloc(0)
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        this.#fail = reject
        this.#take = (chunk) => {
          received = Buffer.concat([received, chunk])
          if (received.includes(wanted)) resolve(received)
        }
      })
    } finally {
      this.#fail = undefined
      this.#take = () => {}
    }
  }

  close(): void {
    this.#socket.destroy()
  }
}
