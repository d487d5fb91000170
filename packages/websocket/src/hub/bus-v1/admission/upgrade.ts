/** The upgrade: which handshakes are refused before there is a connection. */
import type { IncomingMessage } from 'node:http'
import { isSecretName } from '@bus/core'
import { SUBPROTOCOL } from '../../../protocol/bus-v1/limits.ts'

export interface UpgradeRules {
  /** The origins of browsers that may connect, each as a browser writes it. */
  readonly origins: readonly string[]
  /** The names under which the hub may be called; `undefined`: any. */
  readonly hosts: readonly string[] | undefined
  readonly maxConnections: number
}

/** The HTTP status of a refusal. */
export type UpgradeRefusal = 400 | 401 | 403 | 426 | 503

/** The one version of WebSocket, written as RFC 6455 writes it. */
const VERSION = '13'

/** Why the handshake is refused; `undefined` when it is not. */
export function judgeUpgrade(
  request: IncomingMessage,
  rules: UpgradeRules,
  connections: number,
): UpgradeRefusal | undefined {
  if (!isPlainly(request)) return 400
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
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
}

/** Whether the client offers `bus.v1`. */
export function offersBusV1(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol'] ?? ''
  return offered.split(',').some((name) => name.trim() === SUBPROTOCOL)
}

/**
 * Whether it is HTTP/1.1 without a body, says once for which host it is, and not twice who it is: Node takes the first
 * of two such headers, and something on the way may have looked at the other one, or may take for a body what are frames
 * here.
 */
function isPlainly({ httpVersion, headers, rawHeaders }: IncomingMessage): boolean {
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
