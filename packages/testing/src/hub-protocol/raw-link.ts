/** A link that writes its own frames, for what a WebSocket library would not send. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { CaseWaits } from '../conformance/world/waiting.ts'
import type { Closed } from './wire-client.ts'

/** The parts of a frame; what is not given is as the protocol requires. */
interface RawFrame {
  readonly opcode: number
  readonly payload?: string | Uint8Array
  readonly isFinal?: boolean
  readonly isMasked?: boolean
}

/** Opcodes. */
export const CONTINUATION = 0
export const TEXT = 1
export const PING = 9

/** The bytes of a client's frame. */
export function frameBytes(frame: RawFrame): Buffer {
  const { opcode, isFinal = true, isMasked = true } = frame
  const payload = Buffer.from(frame.payload ?? '')
  assert.ok(payload.length < 65_536, 'Expected a frame below 65,536 bytes')
  const header = Buffer.alloc(payload.length < 126 ? 2 : 4)
  header[0] = (isFinal ? 0x80 : 0) | opcode
  header[1] = (isMasked ? 0x80 : 0) | Math.min(payload.length, 126)
  if (payload.length >= 126) header.writeUInt16BE(payload.length, 2)
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([header, Buffer.alloc(isMasked ? 4 : 0), payload])
}

/** One TCP connection. Belongs to its case. */
export class RawLink {
  readonly #socket: Socket
  readonly #waiting: CaseWaits
  #received: Buffer = Buffer.alloc(0)
  #hasEnded = false

  private constructor(socket: Socket, waiting: CaseWaits) {
    this.#socket = socket
    this.#waiting = waiting
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])))
    socket.once('end', () => (this.#hasEnded = true))
    socket.once('close', () => (this.#hasEnded = true))
  }

  /** Connects and requests the upgrade with these additional header lines. Resolves with the answer's head. */
  static async open(
    url: URL,
    headers: readonly string[],
    waiting: CaseWaits,
  ): Promise<{ readonly link: RawLink; readonly head: string }> {
    const { hostname, port, host, pathname, search } = url
    const socket = connect({
      host: hostname.replaceAll(/[[\]]/g, ''),
      port: Number(port === '' ? 80 : port),
      // What the hub ends, this end may go on with: the cases want to see what becomes of it.
      allowHalfOpen: true,
      noDelay: true,
    })
    const link = new RawLink(socket, waiting)
    socket.write(
      [
        `GET ${pathname}${search} HTTP/1.1`,
        `Host: ${host}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        ...headers,
        '\r\n',
      ].join('\r\n'),
    )
    return { link, head: await link.#head() }
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Sends a message of one frame. */
  send(...lines: string[]): void {
    this.write(frameBytes({ opcode: TEXT, payload: lines.join('\n') }))
  }

  /** The texts that came so far; the payloads of a hub are not masked. */
  get text(): string {
    return this.#received.toString()
  }

  async line(start: string): Promise<void> {
    await this.#waiting.until(() => this.text.includes(start), `a line that begins with ${start}`)
  }

  /** Resolves with the code and the reason of the hub's close frame. The connection is left open. */
  async closeFrame(): Promise<Closed> {
    await this.#waiting.until(
      () => this.#hasEnded || this.#close() !== undefined,
      'a close frame',
      () => this.text.slice(-200),
    )
    const close = this.#close()
    assert.ok(close !== undefined, 'Expected a close frame before the end of the link')
    return close
  }

  /** Resolves when the hub has ended the link. */
  async ended(): Promise<void> {
    await this.#waiting.until(() => this.#hasEnded, 'the end of the link')
  }

  end(): void {
    this.#socket.destroy()
  }

  async #head(): Promise<string> {
    const end = (): number => this.#received.indexOf('\r\n\r\n')
    await this.#waiting.until(() => this.#hasEnded || end() !== -1, 'an answer to the handshake')
    const head = this.#received.subarray(0, Math.max(0, end())).toString()
    this.#received = this.#received.subarray(end() + 4)
    return head
  }

  /** The first close frame among the frames that are complete. */
  #close(): Closed | undefined {
    for (let at = 0; at + 2 <= this.#received.length;) {
      const short = (this.#received[at + 1] ?? 0) & 0x7f
      const headerBytes = short === 127 ? 10 : short === 126 ? 4 : 2
      if (at + headerBytes > this.#received.length) return undefined
      const length =
        short === 127
          ? Number(this.#received.readBigUInt64BE(at + 2))
          : short === 126
            ? this.#received.readUInt16BE(at + 2)
            : short
      const payload = this.#received.subarray(at + headerBytes, at + headerBytes + length)
      if (payload.length < length) return undefined
      if (((this.#received[at] ?? 0) & 0x0f) === 8) {
        const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0)
        return { code, reason: payload.subarray(2).toString() }
      }
      at += headerBytes + length
    }
    return undefined
  }
}
