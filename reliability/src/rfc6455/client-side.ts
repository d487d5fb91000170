/** Our client as the end under test: the raw end is a server, and what comes out is seen by `frames()`. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Random } from '@bus/core'
import { webSocketTransport, type RawFrame } from '@bus/websocket'
import { plainJson } from '@bus/websocket/protocol'
import { RawEnd } from './raw-end.ts'
import type { Message, Outcome, Row } from './row.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** One listener for all rows, and a client for each. */
export class ClientSide implements AsyncDisposable {
  readonly #server: Server
  readonly #random: Random

  private constructor(server: Server, random: Random) {
    this.#server = server
    this.#random = random
  }

  static async start(random: Random): Promise<ClientSide> {
    const server = createServer({ allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new ClientSide(server, random)
  }

  async play(row: Row): Promise<Outcome & { readonly strays: number }> {
    const { port } = this.#server.address() as AddressInfo
    const transport = webSocketTransport({
      url: `ws://127.0.0.1:${port}`,
      protocol: plainJson(),
      reconnect: false,
      heartbeat: false,
    })
    const seen = collect(transport.frames())
    const accepted = once(this.#server, 'connection') as Promise<[Socket]>
    const connected = transport.connect()
    const [socket] = await accepted
    await answerHandshake(socket)
    await connected
    const end = new RawEnd(socket, false, this.#random)
    await end.play(row)
    await transport.close()
    return { messages: await seen, pongs: end.ownPongs, close: end.close, strays: end.strays }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

/** Everything until the frames end, which they do with their transport. */
async function collect(frames: AsyncIterable<RawFrame>): Promise<Message[]> {
  const messages: Message[] = []
  for await (const { kind, data } of frames) messages.push({ kind, bytes: Buffer.from(data) })
  return messages
}

async function answerHandshake(socket: Socket): Promise<void> {
  let request = ''
  while (!request.includes('\r\n\r\n')) {
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    request += bytes.toString()
  }
  const [, key = ''] = /^sec-websocket-key: *(\S+)/im.exec(request) ?? []
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64')
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Accept: ${accept}`,
      '\r\n',
    ].join('\r\n'),
  )
}
