/** A protocol made of parts: a dialect, with who we are and what is subscribed as parts of their own. */
import { ConfigError, type Clock } from '@bus/core'
import {
  isPlainProtocol,
  overlay,
  type PlainProtocol,
  type Protocol,
  type ProtocolLink,
} from '@bus/websocket/protocol'
import type { AuthHandler } from './auth.ts'
import { withAuth } from './with-auth.ts'

/** Says to a server who we are, in steps of its own. Where one message and its answer do, see {@link AuthHandler}. */
export interface PlatformAuth {
  /**
   * Before anything else on each new connection.
   * @throws `AuthError` when the server does not accept us: no further attempt is made
   */
  authenticate(link: ProtocolLink): Promise<void>
  /** The connection is ready; it may be used until `link.signal` aborts, for instance to renew in time. */
  up?(link: ProtocolLink): void
}

/** Asks a server for what is subscribed, and for no more of it. */
export interface PlatformSubscriptions {
  /** Whether the server can be asked for patterns with wildcards. @default false */
  readonly wildcards?: boolean | undefined
  /**
   * Resolves when the server has confirmed them; called for all of them on each new connection.
   * @throws `RejectedError` when it refuses any of them
   */
  subscribe(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** Resolves when the server has taken note. */
  unsubscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** Takes up again what it keeps besides the patterns; called before `subscribe` on each new connection. */
  restore?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** The connection is ready, with everything restored; it may be used until `link.signal` aborts. */
  up?(link: ProtocolLink): void
  /** The transport has ended. */
  close?(): void
}

/** What is added to a dialect. */
export interface ProtocolParts {
  /** Runs after the dialect's own authentication. */
  readonly auth?: AuthHandler | PlatformAuth | undefined
  /** Stands in for the dialect's own subscriptions. */
  readonly subscriptions?: PlatformSubscriptions | undefined
  /** For the times at which credentials are renewed. @default the clock of the machine */
  readonly clock?: Clock | undefined
}

/**
 * The dialect with these parts; the dialect itself is not changed.
 * @throws `ConfigError` for parts of a session that has its own: `busV1`
 */
export function composeProtocol(protocol: PlainProtocol, parts: ProtocolParts): PlainProtocol
export function composeProtocol(protocol: Protocol, parts: ProtocolParts): Protocol
export function composeProtocol(protocol: Protocol, parts: ProtocolParts): Protocol {
  const { auth, subscriptions, clock } = parts
  if (auth === undefined && subscriptions === undefined) return protocol
  if (!isPlainProtocol(protocol)) {
    const path = auth === undefined ? 'subscriptions' : 'auth'
    throw new ConfigError(path, `Expected no \`${path}\`: \`${protocol.name}\` has its own`)
  }
  const requesting = subscriptions === undefined ? protocol : subscribed(protocol, subscriptions)
  return auth === undefined ? requesting : authenticated(requesting, auth, clock)
}

function subscribed(protocol: PlainProtocol, subscriptions: PlatformSubscriptions): PlainProtocol {
  const { wildcards = false } = subscriptions
  return overlay(protocol, {
    capabilities: Object.freeze({ ...protocol.capabilities, wildcards }),
    subscribe: (patterns, link) => subscriptions.subscribe(patterns, link),
    unsubscribe: async (patterns, link) => subscriptions.unsubscribe?.(patterns, link),
    restore: async (patterns, link) => {
      await protocol.restore?.(patterns, link)
      await subscriptions.restore?.(patterns, link)
    },
    close: () => {
      protocol.close?.()
      subscriptions.close?.()
    },
    up: (link) => callUp([protocol, subscriptions], link),
  })
}

function authenticated(
  protocol: PlainProtocol,
  auth: AuthHandler | PlatformAuth,
  clock: Clock | undefined,
): PlainProtocol {
  const isHandler = 'credentials' in auth
  const base = isHandler ? withAuth(protocol, auth, clock === undefined ? {} : { clock }) : protocol
  const own = isHandler ? base : auth
  return overlay(base, {
    authenticate: async (link) => {
      await protocol.authenticate?.(link)
      await own.authenticate?.(link)
    },
    up: (link) => callUp(isHandler ? [protocol] : [protocol, auth], link),
  })
}

/** One that fails must not keep the others from learning of the connection. */
function callUp(members: readonly Pick<PlainProtocol, 'up'>[], link: ProtocolLink): void {
  for (const member of members) {
    try {
      member.up?.(link)
    } catch (error) {
      link.report('listener', error instanceof Error ? error : new Error(String(error)))
    }
  }
}
