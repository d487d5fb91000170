/** Answering handshakes: with an upgrade, or with the fault that a test ordered. */
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { DrippingWire } from './dripping-wire.ts'
import type { LinkConditions } from './link.ts'
import { toRequest, type MockRequest } from './mock-request.ts'
import type { ResolvedMockServerOptions } from './options.ts'
import type { UpgradeFault, UpgradeFaults } from './upgrade-faults.ts'

/** A handshake that succeeded. */
export interface Upgraded {
  readonly socket: WebSocket
  /** The stream below the WebSocket. */
  readonly stream: Duplex
  readonly request: MockRequest
  /** The close frame that a fault wants right after opening. */
  readonly closeWith: { readonly code: number; readonly reason: string } | undefined
}

/** What answering a handshake needs. */
export interface UpgradeParts {
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
    // Whoever owns the stream learns of its end by its close.
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
