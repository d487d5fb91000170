/** A hostile server: completes handshakes, welcomes, and then sends given frames, or relays to an honest hub. */
import { createHash } from 'node:crypto'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { frame, OPCODE, readFrame, text } from '../raw/frame.ts'
import type { ServerWire } from './server-input.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** A client that has read up to it answers. */
export const FENCE: Buffer = frame({ opcode: OPCODE.ping, payload: 'fence', masked: false })

/** What a client gets after the welcome. */
function welcome(helloLine: string): string {
  const { subs = [] } = JSON.parse(helloLine.slice('hello '.length)) as {
    subs?: { readonly id: number }[]
  }
  return `welcome ${JSON.stringify({
    sid: 'hostile',
    resumed: false,
    last: 0,
    refused: [],
    epoch: 'hostile',
    head: 0,
    limits: {
      maxEventBytes: 262_144,
      maxLineBytes: 1_048_576,
      window: { events: 16_384, bytes: 8_388_608 },
      ackMs: 10,
    },
    heartbeatMs: 25_000,
    subs: subs.map(({ id }) => ({ id, offset: 0 })),
    gaps: [],
  })}`
}

/** A client's link, from the handshake to its end. */
export class HostileLink {
  /** It takes inputs. */
  isReady = false
  isOver = false
  pongs = 0
  readonly #socket: Socket
  readonly #wire: ServerWire
  readonly #onChange: () => void
  #rest: Buffer = Buffer.alloc(0)
  #isUpgraded = false

  constructor(socket: Socket, wire: ServerWire, onChange: () => void) {
    this.#socket = socket
    this.#wire = wire
    this.#onChange = onChange
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    const over = (): void => {
      this.isOver = true
      onChange()
    }
    socket.on('close', over)
    socket.on('end', () => socket.destroy())
  }

  write(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    if (!this.#isUpgraded && !this.#readHead()) return
    let at = 0
    for (let next = readFrame(this.#rest, at); next; next = readFrame(this.#rest, at)) {
      at = next.to
      const { opcode, payload } = next.frame
      if (opcode === OPCODE.pong) this.pongs++
      else if (opcode === OPCODE.close) this.#socket.destroy()
      else if (opcode === OPCODE.text && !this.isReady) this.#welcome(payload.toString())
    }
    this.#rest = this.#rest.subarray(at)
    this.#onChange()
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end === -1) return false
    const key = /^sec-websocket-key: *(.*)$/im.exec(this.#rest.toString('latin1', 0, end))?.[1]
    const accept = createHash('sha1').update(`${key?.trim()}${GUID}`).digest('base64')
    const busV1 =
      this.#wire === 'bus' ? ['Sec-WebSocket-Protocol: bus.v1', 'bus-protocol: bus.v1'] : []
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`,
      ...busV1,
    ]
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    this.#rest = this.#rest.subarray(end + 4)
    this.#isUpgraded = true
    this.isReady = this.#wire === 'plain'
    return true
  }

  #welcome(line: string): void {
    if (!line.startsWith('hello ')) return
    const bytes = text(welcome(line))
    // What a server sends has no mask.
    this.#socket.write(frame({ payload: readFrame(bytes, 0)?.frame.payload ?? '', masked: false }))
    this.isReady = true
  }
}

/** One for each client. Ends with its run. */
export class HostileServer implements Disposable {
  /** Leads new links to the hub at this port; `undefined`: it is hostile. */
  honestPort: number | undefined
  /** The link of the moment. */
  link: HostileLink | undefined
  links = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #wake: (() => void) | undefined

  private constructor(wire: ServerWire) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
      socket.setNoDelay(true)
      if (this.honestPort !== undefined) {
        lead(socket, this.honestPort)
        return
      }
      this.links++
      this.link = new HostileLink(socket, wire, () => this.#wake?.())
    })
  }

  static async start(wire: ServerWire): Promise<HostileServer> {
    const server = new HostileServer(wire)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Waits until something is so. @returns whether it came to that in time */
  async until(isSo: () => boolean, ms: number): Promise<boolean> {
    const endsAt = performance.now() + ms
    while (!isSo()) {
      const leftMs = endsAt - performance.now()
      if (leftMs <= 0) return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(leftMs, 50))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return true
  }

  /** Ends every link. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  [Symbol.dispose](): void {
    this.cut()
    this.#server.close()
  }
}

function lead(socket: Socket, port: number): void {
  const hub = connect({ port, host: '127.0.0.1', noDelay: true })
  hub.on('error', () => socket.destroy())
  socket.once('close', () => hub.destroy())
  hub.once('close', () => socket.destroy())
  socket.pipe(hub).pipe(socket)
}
