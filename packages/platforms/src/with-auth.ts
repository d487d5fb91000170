/** A dialect with authentication: any protocol, made to say who we are by messages. */
import {
  isPlainProtocol,
  overlay,
  type Frame,
  type PlainProtocol,
  type Protocol,
  type ProtocolReceiver,
} from '@bus/websocket/protocol'
import type { AuthHandler } from './auth.ts'
import { Authentication, type AuthTime } from './authentication.ts'

/** A protocol that says who we are. */
export interface AuthenticatedProtocol extends Protocol {
  /** How things stand, and renewing by hand. */
  readonly authentication: Pick<Authentication, 'state' | 'needsRenewal' | 'renew'>
}

/**
 * The protocol, with the messages of `handler` on each new link before the subscriptions are restored, and again before
 * the credentials end. For `busV1()` it is what is spoken with other servers that gets them; our hub takes a token.
 *
 * @throws `ConfigError` for a bad option.
 * @example
 * ```ts
 * import { hmacAuth, withAuth } from '@bus/platforms'
 * import { webSocketTransport } from '@bus/websocket'
 * import { plainJson } from '@bus/websocket/protocol'
 *
 * const protocol = withAuth(plainJson(), hmacAuth({ key: 'key', secret: 'secret' }))
 * const transport = webSocketTransport({ url: 'wss://api.example/feed', protocol })
 * await transport.connect()
 * console.log(protocol.authentication.state.status)
 * ```
 */
export function withAuth<P extends Protocol>(
  protocol: P,
  handler: AuthHandler,
  time: AuthTime = {},
): P & AuthenticatedProtocol {
  const authentication = new Authentication(handler, time)
  const clone = (): Protocol => withAuth(protocol.clone?.() ?? protocol, handler, time)
  const authenticated = authenticating(protocol, authentication)
  return Object.assign(overlay(authenticated, { clone }) as P, { authentication })
}

/** A protocol that is not plain has its own way to say who we are; what is spoken with other servers gets the messages. */
function authenticating(protocol: Protocol, authentication: Authentication): Protocol {
  if (isPlainProtocol(protocol)) return speak(protocol, authentication)
  const { fallback } = protocol
  if (fallback === undefined) return protocol
  return overlay(protocol, { fallback: authenticating(fallback, authentication) })
}

function speak(protocol: PlainProtocol, authentication: Authentication): PlainProtocol {
  return overlay(protocol, {
    authenticate: (link) => authentication.authenticate(link),
    decode: (frame: Frame, receiver: ProtocolReceiver): void => {
      try {
        protocol.decode(frame, receiver)
      } catch (error) {
        // An answer that came too late is no event, and no mistake either.
        if (!authentication.heard(frame)) throw error
      }
    },
  })
}
