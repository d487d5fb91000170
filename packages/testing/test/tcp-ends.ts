/** The two ends of a TCP link, for tests of what is between them. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

const DEADLINE_MS = 5_000

/** One end: remembers what it got and how it ended. */
export class End implements Disposable {
  readonly socket: Socket
  /** Each piece as it was read. */
  readonly pieces: Buffer[] = []
  /** The other end hung up. */
  hasEnded = false
  isClosed = false
  /** The code of the system's error. */
  error: string | undefined
  readonly #looks = new Set<() => void>()

  constructor(socket: Socket) {
    this.socket = socket
    const on = (name: string, note: (value: never) => void): void => {
      socket.on(name, (value) => {
        note(value as never)
        for (const look of this.#looks) look()
      })
    }
    on('connect', () => {})
    on('data', (piece: Buffer) => this.pieces.push(piece))
    on('end', () => (this.hasEnded = true))
    on('error', (error: NodeJS.ErrnoException) => (this.error = error.code))
    on('close', () => (this.isClosed = true))
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces)
  }

  get text(): string {
    return this.bytes.toString()
  }

  /** Resolves when the condition holds after something has happened to this end. */
  until(what: string, condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return
        clearTimeout(timer)
        this.#looks.delete(look)
        resolve()
      }
      const timer = setTimeout(() => reject(new Error(`Waited for ${what}`)), DEADLINE_MS)
      this.#looks.add(look)
      look()
    })
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

/** A server that keeps each end that it accepts. */
export class TcpServer implements AsyncDisposable {
  readonly ends: End[] = []
  readonly #server: Server
  readonly #looks = new Set<() => void>()

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      this.ends.push(new End(socket))
      for (const look of this.#looks) look()
    })
  }

  /** @param onSocket - what to do with each socket, besides keeping what it sends */
  static async start(onSocket: (socket: Socket) => void = () => {}): Promise<TcpServer> {
    const server = createServer({ allowHalfOpen: true }, onSocket)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new TcpServer(server)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async end(index: number): Promise<End> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (this.ends.length <= index) return
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => reject(new Error(`Waited for end ${index}`)), DEADLINE_MS)
      this.#looks.add(look)
      look()
    })
    const end = this.ends[index]
    if (end === undefined) throw new Error('unreachable')
    return end
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const end of this.ends) end.socket.destroy()
    await closed
  }
}

/** Dials; resolves when connected or refused. */
export async function dial(port: number): Promise<End> {
  const end = new End(connect({ port, host: '127.0.0.1', allowHalfOpen: true }))
  await end.until('a connection', () => end.error !== undefined || !end.socket.connecting)
  return end
}
