/** The upgrade: which handshakes are refused before there is a connection. */
import type { IncomingMessage } from 'node:http'
import { isSecretName } from '@bus/core'
import { SUBPROTOCOL } from '../../protocol/bus-v1/limits.ts'

export interface UpgradeRules {
  /** The origins of browsers that may connect, each as a browser writes it. */
  readonly origins: readonly string[]
  /** The names under which the hub may be called; `undefined`: any. */
  readonly hosts: readonly string[] | undefined
  readonly maxConnections: number
}

/** The HTTP status of a refusal. */
export type UpgradeRefusal = 400 | 401 | 403 | 503

/** Why the handshake is refused; `undefined` when it is not. */
export function judgeUpgrade(
  request: IncomingMessage,
  rules: UpgradeRules,
  connections: number,
): UpgradeRefusal | undefined {
  // A query ends up in the logs of everything on the way.
  if (hasSecretInQuery(request.url ?? '')) return 400
  const { host } = request.headers
  // Under the name of version 8 of the protocol, which `ws` still takes, it is an origin as well.
  const origin = request.headers.origin ?? request.headers['sec-websocket-origin']
  if (origin !== undefined && !(rules.origins as readonly unknown[]).includes(origin)) return 403
  if (rules.hosts !== undefined && !rules.hosts.includes(host ?? '')) return 403
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

function hasSecretInQuery(target: string): boolean {
  const query = target.indexOf('?')
  if (query === -1) return false
  const names = new URLSearchParams(target.slice(query + 1)).keys()
  return [...names].some((name) => isSecretName(name))
}
