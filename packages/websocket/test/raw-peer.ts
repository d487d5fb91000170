/** A WebSocket client that writes its own bytes: frames against the protocol, half-open ends, silence. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** The parts of a frame; what is not given is as the protocol wants it. */
export interface RawFrame {
  readonly opcode: number
  readonly payload?: Uint8Array | string
  readonly fin?: boolean
  readonly rsv?: number
  readonly masked?: boolean
  /** The length that the header claims. */
  readonly length?: number
}

/** The bytes of a client's frame. */
export function rawFrame(frame: RawFrame): Buffer {
  const { opcode, fin = true, rsv = 0, masked = true } = frame
  const payload = Buffer.from(frame.payload ?? '')
  const length = frame.length ?? payload.length
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  const flag = masked ? 0x80 : 0
  let header: Buffer
  if (length < 126) header = Buffer.from([first, flag | length])
  else if (length < 65_536) {
    header = Buffer.from([first, flag | 126, 0, 0])
    header.writeUInt16BE(length, 2)
  } else {
    header = Buffer.alloc(10)
    header.set([first, flag | 127])
    header.writeBigUInt64BE(BigInt(length), 2)
  }
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([header, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload])
}

/** One TCP connection that speaks as much WebSocket as a test wants. Ends with the test. */
export class RawPeer {
  readonly socket: Socket
  /** Resolves when the other side has ended the connection. */
  readonly ended: Promise<void>
  #received: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
    })
    this.ended = new Promise((resolve) => {
      socket.once('end', resolve)
      socket.once('close', () => resolve())
    })
    onTestFinished(() => void socket.destroy())
  }

  /** What came, with the answer to the handshake. */
  get received(): Buffer {
    return this.#received
  }

  /** The code of the close frame that came last, if the last frame was one. */
  get closeCode(): number | undefined {
    const at = this.#received.lastIndexOf(0x88)
    return at === -1 || at + 4 > this.#received.length
      ? undefined
      : this.#received.readUInt16BE(at + 2)
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes)
  }

  send(frame: RawFrame): void {
    this.write(rawFrame(frame))
  }
}

/** Connects without a word. The other side may end its half; ours stays open. */
export async function rawSocket(port: number): Promise<RawPeer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const peer = new RawPeer(socket)
  await once(socket, 'connect')
  return peer
}

/** Asks for an upgrade with this request target, and more header lines. */
export function requestUpgrade(
  peer: RawPeer,
  target: string,
  headers: readonly string[] = [],
): void {
  const lines = [
    `GET ${target} HTTP/1.1`,
    'Host: hub',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ...headers,
  ]
  peer.write(`${lines.join('\r\n')}\r\n\r\n`)
}

/** Connects and upgrades. */
export async function rawPeer(port: number, target = '/'): Promise<RawPeer> {
  const peer = await rawSocket(port)
  requestUpgrade(peer, target)
  await once(peer.socket, 'data')
  return peer
}
