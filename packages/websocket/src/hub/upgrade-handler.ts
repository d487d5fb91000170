/** The upgrade handler: answers WebSocket handshakes, refuses bad ones in HTTP, and hands the others to the wire that they speak. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { HUB_HEADER, SUBPROTOCOL } from '../protocol/bus-v1/limits.ts'
import type {
  AuthenticationResult,
  PresentedCredentials,
  Principal,
} from './bus-v1/admission/authenticator.ts'
import type { HubServer, ResolvedHubOptions } from './options.ts'
import { ConnectionLimiter } from './connection-limiter.ts'
import { isSecretName } from '@bus/core/kit'

/** Where the connections go. */
export interface UpgradeTargets {
  /** How many connections there are. */
  readonly connections: number
  /** Says who presents these credentials. @param use - called with the result */
  authenticate(
    presented: PresentedCredentials,
    isGone: () => boolean,
    use: (result: AuthenticationResult) => void,
  ): Promise<void>
  /** Counts a plain connection of this principal. `false`: it has as many as it may have. */
  reserve(tcp: Duplex, principal: Principal): boolean
  /** @param principal - who it is; `undefined`: its first line will say so */
  joinBusV1(
    ws: WebSocket,
    tcp: Duplex,
    request: IncomingMessage,
    principal: Principal | undefined,
  ): void
  joinPlain(ws: WebSocket, tcp: Duplex, principal: Principal): void
}

/** Marks the listeners of hubs on a server, also of those of another copy of this package. */
const SERVED = Symbol.for('@bus/websocket upgrade handler')

/** What the hubs on one server know of each other. */
interface Served {
  serves(path: string): boolean
  readonly isStopped: boolean
}

type UpgradeListener = ((request: IncomingMessage, tcp: Duplex, head: Buffer) => void) & {
  [SERVED]?: Served
}

/** A handshake that is under way. */
interface Handshake {
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
  // When one of the connections ends is not known.
  429: 'Too Many Requests\r\nRetry-After: 5',
  503: 'Service Unavailable',
})

/** Answers upgrades from its construction until {@link detach}. */
export class UpgradeHandler {
  readonly #server: HubServer
  readonly #options: ResolvedHubOptions
  readonly #targets: UpgradeTargets
  readonly #sockets: WebSocketServer
  readonly #addresses: ConnectionLimiter
  /** Handshakes whose credentials are being checked. */
  readonly #underWay = new Set<Duplex>()
  #isStopped = false

  constructor(server: HubServer, options: ResolvedHubOptions, targets: UpgradeTargets) {
    this.#server = server
    this.#options = options
    this.#targets = targets
    this.#sockets = makeSockets(options)
    this.#addresses = new ConnectionLimiter(options.limits.connectionsPerIp)
    this.#sockets.on('headers', (headers, request) => {
      if (offersBusV1(request)) headers.push(`${HUB_HEADER}: ${SUBPROTOCOL}`)
    })
    this.#onUpgrade[SERVED] = this
    server.on('upgrade', this.#onUpgrade)
  }

  /** Whether it answers upgrades of this path. */
  serves(path: string): boolean {
    return this.#options.path === undefined || this.#options.path === path
  }

  /** Whether it accepts no further upgrade. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Handshakes that were refused because their address had too many connections. */
  get refusedPerIp(): number {
    return this.#addresses.refused
  }

  /**
   * Accepts no further upgrade, and refuses those that are under way with 503: without that answer the server would treat an
   * upgrade as a request and refuse it for good, and the client would never come back.
   */
  stop(): void {
    this.#isStopped = true
    for (const tcp of this.#underWay) refuse(tcp, 503)
    this.#underWay.clear()
  }

  /** Listens to the server no longer. */
  detach(): void {
    this.stop()
    this.#server.off('upgrade', this.#onUpgrade)
  }

  readonly #onUpgrade: UpgradeListener = (request: IncomingMessage, tcp: Duplex, head) => {
    tcp.on('error', destroyIt)
    const answer = this.#answerOf(pathOf(request.url))
    if (answer === 'none') return
    if (answer === 'unknown') {
      refuse(tcp, 404)
      return
    }
    const { origins, hosts, limits, plain } = this.#options
    if (this.#isStopped) {
      refuse(tcp, 503)
      return
    }
    const rules = { origins, hosts, maxConnections: limits.connections }
    const refusal = judgeUpgrade(request, rules, this.#targets.connections + this.#underWay.size)
    if (refusal !== undefined) refuse(tcp, refusal)
    else if (!plain && !offersBusV1(request)) refuse(tcp, 400, 'This hub speaks bus.v1 only\n')
    else if (this.#addresses.reserve(tcp, request.socket.remoteAddress)) {
      this.#enter({ request, tcp, head })
    } else refuse(tcp, 429)
  }

  /**
   * Whether it is up to this hub to answer. Of several hubs that serve a path the first does that is not stopped, for two
   * answers to one handshake would break; a path that no hub serves is left to other listeners, or is unknown.
   */
  #answerOf(path: string): 'mine' | 'unknown' | 'none' {
    const all = this.#server.listeners('upgrade').map((one) => (one as UpgradeListener)[SERVED])
    const hubs = all.filter((one) => one !== undefined)
    const serving = hubs.filter((one) => one.serves(path))
    if (serving.length > 0) {
      const first = serving.find((one) => !one.isStopped) ?? serving[0]
      return first === this ? 'mine' : 'none'
    }
    return hubs.length === all.length && hubs.at(-1) === this ? 'unknown' : 'none'
  }

  #enter(handshake: Handshake): void {
    const token = bearerToken(handshake.request)
    const isBusV1 = offersBusV1(handshake.request)
    // On `bus.v1` the first line may have the token, because a browser cannot set a header.
    if (isBusV1 && token === undefined) this.#upgrade(handshake, undefined)
    else {
      const { request, tcp } = handshake
      this.#underWay.add(tcp)
      void this.#targets.authenticate(
        { request, token },
        () => tcp.destroyed,
        (result) => this.#authenticated(handshake, isBusV1, result),
      )
    }
  }

  #authenticated(handshake: Handshake, isBusV1: boolean, result: AuthenticationResult): void {
    const { tcp } = handshake
    // The hub may have closed meanwhile, and has answered.
    if (!this.#underWay.delete(tcp) || tcp.destroyed) return
    if (result === 'unavailable') refuse(tcp, 503)
    else if (result === 'unauthorized') refuse(tcp, 401)
    // On the plain wire every client gets and sends everything as it is, so no part of it can be granted.
    else if (!isBusV1 && this.#isRestricted(result)) refuse(tcp, 403)
    else if (!isBusV1 && !this.#targets.reserve(tcp, result)) refuse(tcp, 429)
    else this.#upgrade(handshake, result)
  }

  #isRestricted(principal: Principal): boolean {
    const { authorize, source } = this.#options
    return principal.grants !== undefined || authorize !== undefined || source === 'principal'
  }

  #upgrade({ request, tcp, head }: Handshake, principal: Principal | undefined): void {
    this.#sockets.handleUpgrade(request, tcp, head, (ws) => {
      if (principal === undefined || ws.protocol === SUBPROTOCOL) {
        this.#targets.joinBusV1(ws, tcp, request, principal)
      } else this.#targets.joinPlain(ws, tcp, principal)
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

/** One function for all sockets: each costs no more than an entry among its listeners. */
function destroyIt(this: Duplex): void {
  this.destroy()
}

/** The path without its query. Not parsed as a URL, because it need not be one. */
function pathOf(target = '/'): string {
  return target.split('?', 1)[0] ?? target
}

function refuse(tcp: Duplex, status: Refusal, body: string = ''): void {
  // The other side may never close its half.
  tcp.once('finish', () => tcp.destroy())
  tcp.end(
    `HTTP/1.1 ${status} ${REFUSALS[status]}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
}

interface UpgradeRules {
  /** The origins of browsers that may connect, each as a browser writes it. */
  readonly origins: readonly string[]
  /** The `Host` headers that are accepted; `undefined`: any. */
  readonly hosts: readonly string[] | undefined
  readonly maxConnections: number
}

/** The HTTP status of a refusal. */
type UpgradeRefusal = 400 | 401 | 403 | 426 | 503

/** The one version of WebSocket, written as RFC 6455 writes it. */
const VERSION = '13'

/** Why the handshake is refused; `undefined` when it is not. */
function judgeUpgrade(
  request: IncomingMessage,
  rules: UpgradeRules,
  connections: number,
): UpgradeRefusal | undefined {
  if (!isWellFormed(request)) return 400
  // A query ends up in the logs of everything on the way.
  if (hasSecretInQuery(request.url ?? '')) return 400
  const { host } = request.headers
  // Under the name of version 8 of the protocol it is an origin as well.
  const origin = request.headers.origin ?? request.headers['sec-websocket-origin']
  if (origin !== undefined && !(rules.origins as readonly unknown[]).includes(origin)) return 403
  if (rules.hosts !== undefined && !rules.hosts.includes(host ?? '')) return 403
  // ws would also take 8, `13.0` and `0xd`.
  if (request.headers['sec-websocket-version'] !== VERSION) return 426
  return connections >= rules.maxConnections ? 503 : undefined
}

/** The token behind `Bearer`. */
function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
}

/** Whether the client offers `bus.v1`. */
function offersBusV1(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol'] ?? ''
  return offered.split(',').some((name) => name.trim() === SUBPROTOCOL)
}

/**
 * Whether it is HTTP/1.1 without a body, with one `Host` and at most one `Authorization`: Node reads the first of two such
 * headers, and a proxy on the way may have read the other one, or may take the frames for a body.
 */
function isWellFormed({ httpVersion, headers, rawHeaders }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return false
  if ((headers['content-length'] ?? '0') !== '0') return false
  let hosts = 0
  let authorizations = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase()
    if (name === 'host') hosts++
    else if (name === 'authorization') authorizations++
  }
  return httpVersion === '1.1' && hosts === 1 && authorizations <= 1
}

function hasSecretInQuery(target: string): boolean {
  const query = target.indexOf('?')
  if (query === -1) return false
  const names = new URLSearchParams(target.slice(query + 1)).keys()
  return [...names].some((name) => isSecretName(name))
}
