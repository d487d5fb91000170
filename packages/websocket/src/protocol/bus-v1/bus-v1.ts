/** The protocol of our own hub: batches, acknowledgements, resuming, gaps. */
import type { Event } from '@bus/core'
import { check, checkOptions } from '@bus/core/kit'
import {
  RENEW_BEFORE_MS,
  isPrintable,
  type SessionCredentials,
  type TokenSource,
} from '../credentials.ts'
import { isToken } from './hello.ts'
import { HubMessageReader } from './lines.ts'
import { SUBPROTOCOL, busV1Capabilities } from './limits.ts'
import { plainJson } from '../plain-json.ts'
import type { Frame, Protocol, ProtocolReceiver } from '../protocol.ts'
import { decodeBody, encodeBody } from './fields.ts'

/** How long a hub may be silent about what was published, unless told otherwise, in milliseconds. */
const PROGRESS_MS = 10_000

/** Who we are to the hub, and what to speak with a server that does not know `bus.v1`. */
export interface BusV1Options {
  /**
   * Shown to the hub on each new link, instead of what the headers show. A function is asked each time; if it tells when
   * the token ends (`expiresAt`), it is asked again in time, and the hub gets the new one on the live link. A token that
   * the hub refuses ends the transport: at once, or, if a function gave it, when the next one is refused too.
   * @default none
   */
  readonly token?: TokenSource
  /** Milliseconds before its end at which the token is renewed, at the earliest after half of its life. @default 60_000 */
  readonly renewBeforeMs?: number
  /**
   * Milliseconds without a word of the hub about events that wait for their confirmation, after which the link is given up
   * and made again, also if pings are answered; if they are not, up to twice as long. At least twice what the hub promises,
   * which is 4,000. An event must get through in that time. `Infinity`: no limit. @default 10_000
   */
  readonly progressMs?: number
  /** `false`: nothing, connecting fails. @default plainJson() */
  readonly fallback?: Protocol | false
}

/**
 * `bus.v1`: publishes are confirmed and resent over broken links, subscriptions go on where they stopped, and what was
 * lost is told as a `gap`. With another server the transport speaks the fallback, and its `capabilities` say so.
 *
 * @throws `ConfigError` for a bad option.
 */
export function busV1(options: BusV1Options = {}): Protocol {
  checkOptions<BusV1Options>('', options, {
    token: check.where('to be a token on one line, or a function that gets one', isTokenSource),
    renewBeforeMs: check.durationMs({ allowLong: true }),
    progressMs: check.durationMs({ min: 1, allowInfinity: true }),
    fallback: check.falseOr(check.withMethods('encode', 'decode')),
  })
  const { fallback = plainJson(), token, renewBeforeMs = RENEW_BEFORE_MS } = options
  const { progressMs = PROGRESS_MS } = options
  return Object.freeze({
    name: SUBPROTOCOL,
    subprotocols: Object.freeze([SUBPROTOCOL]),
    capabilities: busV1Capabilities,
    session: SUBPROTOCOL,
    progressMs,
    ...(token === undefined ? {} : { credentials: hidden(token, renewBeforeMs) }),
    ...(fallback === false ? {} : { fallback }),
    // The session keeps its state in the transport; a fallback may keep its own.
    ...(fallback === false || fallback.clone === undefined
      ? {}
      : { clone: () => busV1({ ...options, fallback: fallback.clone?.() ?? fallback }) }),
    encode: (event: Event): Frame => `pub - ${event.type} ${event.id} ${encodeBody(event)}`,
    decode: (frame: Frame, receiver: ProtocolReceiver): void => {
      const ignore = (): void => {}
      const event = (offset: number, type: string, id: string, body: string): void =>
        receiver.event(decodeBody(type, id, body), offset)
      const others = { welcome: ignore, ok: ignore, no: ignore, subok: ignore, subno: ignore }
      const hub = {
        ...others,
        gap: ignore,
        mark: ignore,
        bye: ignore,
        event,
        unreadable: () => false,
      }
      new HubMessageReader(hub, hub).read(Buffer.from(String(frame)))
    },
  } satisfies Protocol)
}

function isTokenSource(value: unknown): boolean {
  return typeof value === 'function' || (isToken(value) && isPrintable(value))
}

/** A function shows nothing of the token when the protocol is printed. */
function hidden(token: TokenSource, renewBeforeMs: number): SessionCredentials {
  const isFixed = typeof token !== 'function'
  return Object.freeze({ token: isFixed ? () => token : token, isFixed, renewBeforeMs })
}
