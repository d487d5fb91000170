/** A client of the plain JSON wire, which keeps what it gets. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Waiting } from '../conformance/world/waiting.ts'

/** Belongs to its case. */
export class PlainClient {
  readonly frames: string[] = []
  readonly #ws: WebSocket
  readonly #waiting: Waiting

  private constructor(ws: WebSocket, waiting: Waiting) {
    this.#ws = ws
    this.#waiting = waiting
    ws.on('error', () => {})
    ws.on('message', (data: Buffer) => this.frames.push(data.toString()))
  }

  static async open(url: string, waiting: Waiting): Promise<PlainClient> {
    const ws = new WebSocket(url, { perMessageDeflate: false })
    const client = new PlainClient(ws, waiting)
    await waiting.soon(once(ws, 'open'), 'an open connection')
    return client
  }

  send(text: string): void {
    this.#ws.send(text)
  }

  /** Resolves with the first frame that holds the text. */
  async frame(text: string): Promise<string> {
    const found = (): string | undefined => this.frames.find((frame) => frame.includes(text))
    await this.#waiting.until(() => found() !== undefined, `a frame with ${text}`)
    return found() ?? ''
  }

  end(): void {
    this.#ws.terminate()
  }
}
