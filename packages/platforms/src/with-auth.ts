/** A dialect with authentication: any protocol, made to say who we are by messages. */
import { overlay, type Frame, type Protocol, type ProtocolReceiver } from '@bus/websocket/protocol'
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
export function withAuth(
  protocol: Protocol,
  handler: AuthHandler,
  time: AuthTime = {},
): AuthenticatedProtocol {
  const authentication = new Authentication(handler, time)
  const { session, fallback } = protocol
  const clone = (): Protocol => withAuth(protocol.clone?.() ?? protocol, handler, time)
  if (session !== undefined) {
    const others = fallback === undefined ? {} : { fallback: speak(fallback, authentication) }
    return Object.assign(overlay(protocol, { ...others, clone }), { authentication })
  }
  const spoken = overlay(speak(protocol, authentication), { clone })
  return Object.assign(spoken, { authentication })
}

function speak(protocol: Protocol, authentication: Authentication): Protocol {
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
