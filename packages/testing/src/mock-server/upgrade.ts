/** Answers handshakes: with an upgrade, or with the fault that a test set. */
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Clock, Timer } from '@bus/core'
import type { LinkConditions, UpgradeFault, UpgradeFaults } from './faults.ts'
import { type MockRequest, toRequest } from './mock-connection.ts'
import type { ResolvedMockServerOptions } from './options.ts'

/** A handshake that succeeded. */
export interface Upgraded {
  readonly socket: WebSocket
  /** The stream below the WebSocket. */
  readonly stream: Duplex
  readonly request: MockRequest
  /** The close frame that a fault sends right after opening. */
  readonly closeWith: { readonly code: number; readonly reason: string } | undefined
}

/** What answering a handshake needs. */
interface UpgradeParts {
  readonly options: ResolvedMockServerOptions
  readonly link: Readonly<LinkConditions>
  readonly faults: UpgradeFaults
  onAttempt(request: MockRequest): void
  onOpen(upgraded: Upgraded): void
  reset(stream: Duplex): void
}

interface Handshake {
  readonly incoming: IncomingMessage
  readonly stream: Duplex
  readonly head: Buffer
  readonly request: MockRequest
}

/** Answers each handshake. */
export class Upgrader {
  readonly #parts: UpgradeParts
  readonly #acceptor: WebSocketServer

  constructor(parts: UpgradeParts) {
    this.#parts = parts
    this.#acceptor = createAcceptor(parts.options)
  }

  /** Takes a handshake from the listener. */
  handle(incoming: IncomingMessage, stream: Duplex, head: Buffer): void {
    // The owner of the stream is notified of its end by `close`.
    stream.on('error', () => {})
    const { faults, link, options } = this.#parts
    const handshake: Handshake = { incoming, stream, head, request: toRequest(incoming) }
    const fault = faults.next()
    this.#parts.onAttempt(handshake.request)
    if (link.delayMs === 0) return this.#answer(handshake, fault)
    const timer = options.clock.setTimeout(() => this.#answer(handshake, fault), link.delayMs)
    stream.once('close', () => options.clock.clearTimeout(timer))
  }

  #answer(handshake: Handshake, fault: UpgradeFault | undefined): void {
    const { stream } = handshake
    switch (fault?.kind) {
      case 'refuse':
        return answerAndEnd(stream, httpAnswer(fault.status, fault.headers, fault.body))
      case 'answer':
        return answerAndEnd(stream, fault.bytes)
      case 'reset':
        return this.#parts.reset(stream)
      case 'hang':
        return untilTheClientLeaves(stream)
      case 'drip': {
        const { clock } = this.#parts.options
        return this.#accept(handshake, { wire: new DrippingWire(stream, fault.intervalMs, clock) })
      }
      case 'close':
        return this.#accept(handshake, { closeWith: fault })
      case undefined:
        return this.#accept(handshake, {})
    }
  }

  #accept(
    { incoming, stream, head, request }: Handshake,
    { wire = stream, closeWith }: { wire?: Duplex; closeWith?: Upgraded['closeWith'] },
  ): void {
    const { path } = this.#parts.options
    if (path !== undefined && path !== request.path) {
      return answerAndEnd(wire, httpAnswer(404, {}, ''))
    }
    this.#acceptor.handleUpgrade(incoming, wire, head, (socket) => {
      this.#parts.onOpen({ socket, stream, request, closeWith })
    })
  }
}

function createAcceptor(options: ResolvedMockServerOptions): WebSocketServer {
  const { subprotocols } = options
  const acceptor = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    autoPong: false, // a fault may withhold pongs, so the connection answers pings itself
    perMessageDeflate: options.perMessageDeflate,
    ...(subprotocols === undefined ? {} : { handleProtocols: chooseFrom(subprotocols) }),
  })
  acceptor.on('headers', (lines) => {
    for (const [name, value] of Object.entries(options.headers)) lines.push(`${name}: ${value}`)
  })
  return acceptor
}

function chooseFrom(
  subprotocols: NonNullable<ResolvedMockServerOptions['subprotocols']>,
): (offered: Set<string>) => string | false {
  if (typeof subprotocols === 'function') return (offered) => subprotocols([...offered])
  return (offered) => subprotocols.find((name) => offered.has(name)) ?? false
}

function httpAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): Uint8Array {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

function answerAndEnd(stream: Duplex, bytes: Uint8Array): void {
  untilTheClientLeaves(stream)
  stream.end(bytes)
}

/** Reads on, because only a stream that is read notices that the other side ended. */
function untilTheClientLeaves(stream: Duplex): void {
  stream.once('end', () => stream.end())
  stream.resume()
}

type Done = (error?: Error | null) => void

/** Reads as the socket does; writes the answer in drips, and all that follows at once. */
class DrippingWire extends Duplex {
  readonly #socket: Duplex
  readonly #intervalMs: number
  readonly #clock: Clock
  #state: 'waiting' | 'dripping' | 'answered' = 'waiting'
  #timer: Timer | undefined

  constructor(socket: Duplex, intervalMs: number, clock: Clock) {
    super()
    this.#socket = socket
    this.#intervalMs = intervalMs
    this.#clock = clock
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause()
    })
    socket.once('end', () => {
      // A client that leaves before the whole answer is there has given up.
      if (this.#state === 'answered') this.push(null)
      else this.destroy()
    })
    socket.once('close', () => this.destroy())
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#state === 'answered') {
      this.#socket.write(chunk, done)
      return
    }
    this.#state = 'dripping'
    this.#drip(chunk, 0, done)
  }

  override _final(done: Done): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: Done): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#socket.destroy()
    done(error)
  }

  #drip(answer: Buffer, at: number, done: Done): void {
    this.#socket.write(answer.subarray(at, at + 1))
    if (at + 1 < answer.length) {
      const next = (): void => this.#drip(answer, at + 1, done)
      this.#timer = this.#clock.setTimeout(next, this.#intervalMs)
    } else {
      this.#state = 'answered'
      done()
    }
  }
}
