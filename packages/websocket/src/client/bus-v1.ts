/** The protocol of our own hub: batches, acknowledgements, resuming, gaps. */
import { check, checkOptions } from '@bus/core/kit'
import {
  RENEW_BEFORE_MS,
  isPrintable,
  type SessionCredentials,
  type TokenSource,
} from '../protocol/credentials.ts'
import { isToken } from '../protocol/bus-v1/hello.ts'
import { HUB_HEADER, SUBPROTOCOL, busV1Capabilities } from '../protocol/bus-v1/limits.ts'
import { plainJson } from '../protocol/plain-json.ts'
import type {
  PlainProtocol,
  Protocol,
  ProtocolHandshake,
  SessionHost,
} from '../protocol/protocol.ts'
import { BusV1Session, type BusV1Host } from './bus-v1/bus-v1-session.ts'

/** How long a hub may be silent about what was published, unless an option says otherwise, in milliseconds. */
const PROGRESS_MS = 10_000

/** Who we are to the hub, and what to speak with a server that does not know `bus.v1`. */
export interface BusV1Options {
  /**
   * Shown to the hub on each new link, instead of what the headers show. A function is called each time; if it says when
   * the token ends (`expiresAt`), it is called again in time, and the hub gets the new one on the live link. A token that
   * the hub refuses ends the transport: at once, or, if a function gave it, when the next one is refused too.
   * @default none
   */
  readonly token?: TokenSource | undefined
  /** Milliseconds before its end at which the token is renewed, at the earliest after half of its life. @default 60_000 */
  readonly renewBeforeMs?: number | undefined
  /**
   * Milliseconds without a word of the hub about events that wait for their confirmation, after which the link is given up
   * and made again, also if pings are answered; if they are not, up to twice as long. At least twice what the hub promises,
   * which is 4,000. An event must get through in that time. `Infinity`: no limit. @default 10_000
   */
  readonly progressMs?: number | undefined
  /** `false`: nothing, connecting fails. @default plainJson() */
  readonly fallback?: Protocol | PlainProtocol | false | undefined
}

/**
 * `bus.v1`: publishes are confirmed and resent over broken links, subscriptions continue where they stopped, and what was
 * lost is reported as a `gap`. With another server the transport speaks the fallback, and its `capabilities` say so.
 *
 * @throws `ConfigError` for a bad option.
 */
export function busV1(options: BusV1Options = {}): Protocol {
  checkOptions<BusV1Options>('', options, {
    token: check.where('to be a token on one line, or a function that gets one', isTokenSource),
    renewBeforeMs: check.durationMs({ allowLong: true }),
    progressMs: check.durationMs({ min: 1, allowInfinity: true }),
    fallback: check.falseOr(check.withMethods('openSession')),
  })
  const { fallback = plainJson(), token, renewBeforeMs = RENEW_BEFORE_MS } = options
  const { progressMs = PROGRESS_MS } = options
  const credentials = token === undefined ? undefined : credentialsOf(token, renewBeforeMs)
  return Object.freeze({
    name: SUBPROTOCOL,
    subprotocols: Object.freeze([SUBPROTOCOL]),
    capabilities: busV1Capabilities,
    ...(credentials === undefined
      ? {}
      : { credentials: credentials.isFixed ? ('fixed' as const) : ('renewable' as const) }),
    ...(fallback === false ? {} : { fallback }),
    // The session keeps its state in the transport; a fallback may keep its own.
    ...(fallback === false || fallback.clone === undefined
      ? {}
      : { clone: () => busV1({ ...options, fallback: fallback.clone?.() ?? fallback }) }),
    accepts: isHub,
    openSession: (host: SessionHost) =>
      new BusV1Session(host as BusV1Host, { credentials, progressMs }),
  } satisfies Protocol)
}

/**
 * Whether the server is a hub: it agreed on our subprotocol, and means it, which it says in a header of its own. One that echoes
 * what it is offered, as servers without an opinion do, must not see our lines.
 */
function isHub({ subprotocol, headers }: ProtocolHandshake): boolean {
  return subprotocol === SUBPROTOCOL && headers[HUB_HEADER] === SUBPROTOCOL
}

function isTokenSource(value: unknown): boolean {
  return typeof value === 'function' || (isToken(value) && isPrintable(value))
}

function credentialsOf(token: TokenSource, renewBeforeMs: number): SessionCredentials {
  return Object.freeze({ token, isFixed: typeof token !== 'function', renewBeforeMs })
}
