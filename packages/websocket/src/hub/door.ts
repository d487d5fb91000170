/** The door: takes handshakes, refuses most bad ones in HTTP, and leads the rest to those who speak their wire. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { HUB_HEADER, SUBPROTOCOL } from '../protocol/bus-v1/limits.ts'
import type { Admission, Shown } from './bus-v1/admission/gate.ts'
import type { Principal } from './bus-v1/admission/principal.ts'
import { bearerToken, judgeUpgrade, offersBusV1 } from './bus-v1/admission/upgrade.ts'
import type { HubServer, ResolvedHubOptions } from './options.ts'
import { Places } from './places.ts'

/** Who takes the connections. */
export interface Hosts {
  /** Connections that there are. */
  readonly connections: number
  /** Tells who shows these credentials. */
  admit(shown: Shown, isGone: () => boolean): Promise<Admission>
  /** Takes one of the places of a principal for a plain connection. @returns whether there was one */
  takePlace(tcp: Duplex, principal: Principal): boolean
  /** @param principal - who it is; `undefined`: its first line will tell */
  joinBusV1(
    ws: WebSocket,
    tcp: Duplex,
    request: IncomingMessage,
    principal: Principal | undefined,
  ): void
  joinPlain(ws: WebSocket, tcp: Duplex, principal: Principal): void
}

/** A handshake that is under way. */
interface Caller {
  readonly request: IncomingMessage
  readonly tcp: Duplex
  readonly head: Buffer
}

type Refusal = 400 | 401 | 403 | 404 | 426 | 429 | 503

// Fixed text only: nothing of the request may get into an answer's headers.
const REFUSALS: Readonly<Record<Refusal, string>> = Object.freeze({
  400: 'Bad Request',
  401: 'Unauthorized\r\nWWW-Authenticate: Bearer',
  403: 'Forbidden',
  404: 'Not Found',
  426: 'Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13',
  // A place becomes free when a connection ends; nobody knows when.
  429: 'Too Many Requests\r\nRetry-After: 5',
  503: 'Service Unavailable',
})

/** Answers upgrades from its construction until {@link leave}. */
export class Door {
  readonly #server: HubServer
  readonly #options: ResolvedHubOptions
  readonly #hosts: Hosts
  readonly #sockets: WebSocketServer
  readonly #addresses: Places
  /** Handshakes whose credentials are looked at. */
  readonly #underWay = new Set<Duplex>()
  #isShut = false

  constructor(server: HubServer, options: ResolvedHubOptions, hosts: Hosts) {
    this.#server = server
    this.#options = options
    this.#hosts = hosts
    this.#sockets = makeSockets(options)
    this.#addresses = new Places(options.limits.connectionsPerIp)
    this.#sockets.on('headers', (headers, request) => {
      if (offersBusV1(request)) headers.push(`${HUB_HEADER}: ${SUBPROTOCOL}`)
    })
    server.on('upgrade', this.#onUpgrade)
  }

  /** Handshakes that were refused because their address had too many connections. */
  get refusedPerIp(): number {
    return this.#addresses.refused
  }

  /**
   * Accepts no further upgrade, and refuses those that are under way. Whoever comes is told so: without an answer of ours the
   * server takes an upgrade for a request and refuses it for good, and the client would never come back.
   */
  stop(): void {
    this.#isShut = true
    for (const tcp of this.#underWay) refuse(tcp, 503)
    this.#underWay.clear()
  }

  /** The server is somebody else's again, or gone. */
  leave(): void {
    this.stop()
    this.#server.off('upgrade', this.#onUpgrade)
  }

  readonly #onUpgrade = (request: IncomingMessage, tcp: Duplex, head: Buffer): void => {
    tcp.on('error', destroyIt)
    const { path, origins, hosts, limits } = this.#options
    if (path !== undefined && pathOf(request.url) !== path) {
      // Another listener of that server may serve the path.
      if (this.#server.listenerCount('upgrade') === 1) refuse(tcp, 404)
      return
    }
    if (this.#isShut) {
      refuse(tcp, 503)
      return
    }
    const rules = { origins, hosts, maxConnections: limits.connections }
    const refusal = judgeUpgrade(request, rules, this.#hosts.connections + this.#underWay.size)
    if (refusal !== undefined) refuse(tcp, refusal)
    else if (this.#addresses.enter(tcp, request.socket.remoteAddress)) {
      this.#enter({ request, tcp, head })
    } else refuse(tcp, 429)
  }

  #enter(caller: Caller): void {
    const token = bearerToken(caller.request)
    const isBusV1 = offersBusV1(caller.request)
    // On `bus.v1` the first line may tell, which saves a browser from having to set a header.
    if (isBusV1 && token === undefined) this.#upgrade(caller, undefined)
    else void this.#authenticate(caller, token, isBusV1)
  }

  async #authenticate(caller: Caller, token: string | undefined, isBusV1: boolean): Promise<void> {
    const { request, tcp } = caller
    this.#underWay.add(tcp)
    const admission = await this.#hosts.admit({ request, token }, () => tcp.destroyed)
    // The hub may have closed meanwhile, and has answered.
    if (!this.#underWay.delete(tcp) || tcp.destroyed) return
    if (admission === 'unavailable') refuse(tcp, 503)
    else if (admission === 'unauthorized') refuse(tcp, 401)
    // On the plain wire everybody gets and sends everything as it is, so there is nothing to grant a part of.
    else if (!isBusV1 && this.#isRestricted(admission)) refuse(tcp, 403)
    else if (!isBusV1 && !this.#hosts.takePlace(tcp, admission)) refuse(tcp, 429)
    else this.#upgrade(caller, admission)
  }

  #isRestricted(principal: Principal): boolean {
    const { authorize, source } = this.#options
    return principal.grants !== undefined || authorize !== undefined || source === 'principal'
  }

  #upgrade({ request, tcp, head }: Caller, principal: Principal | undefined): void {
    this.#sockets.handleUpgrade(request, tcp, head, (ws) => {
      if (principal === undefined || ws.protocol === SUBPROTOCOL) {
        this.#hosts.joinBusV1(ws, tcp, request, principal)
      } else this.#hosts.joinPlain(ws, tcp, principal)
    })
  }
}

function makeSockets(options: ResolvedHubOptions): WebSocketServer {
  // The types of ws do not know `closeTimeout` and the fragment limits of 8.23 yet.
  const limits: object = {
    maxFragments: 1_024,
    maxBufferedChunks: 16_384,
    // Pongs that wait for one socket: a ping beyond that cuts the connection.
    maxPendingAutoPongs: 60,
    closeTimeout: options.closeMs,
  }
  return new WebSocketServer({
    ...limits,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.maxMessageBytes,
    // Without this ws accepts the first subprotocol that it is offered, whatever it is.
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })
}

/** One for all sockets: each costs no more than a place in its listeners. */
function destroyIt(this: Duplex): void {
  this.destroy()
}

/** Without its query. Not parsed as a URL: what a stranger sends may be none. */
function pathOf(target = '/'): string {
  return target.split('?', 1)[0] ?? target
}

function refuse(tcp: Duplex, status: Refusal): void {
  // The other side may never close its half.
  tcp.once('finish', () => tcp.destroy())
  tcp.end(
    `HTTP/1.1 ${status} ${REFUSALS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  )
}
