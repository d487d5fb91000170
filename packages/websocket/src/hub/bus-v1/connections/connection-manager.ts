/** The connections of a hub: welcomes them, renews their credentials, and sends them away. */

import type { Clock } from '@bus/core'
import { byeLine } from '../../../protocol/bus-v1/lines.ts'
import type { SubscriptionRefusal, WireLimits } from '../../../protocol/bus-v1/limits.ts'
import type { Hello, WireSubscription } from '../../../protocol/bus-v1/hello.ts'
import { publishLine, type PublishLine } from '../../../protocol/bus-v1/lines.ts'
import type { ConnectionLimiter } from '../../connection-limiter.ts'
import type { Metering } from '../../metering.ts'
import type { Counters } from '../stats.ts'
import { fitWelcome, greet, type FittedWelcome, type Greeting } from './greeting.ts'
import {
  Permission,
  countedName,
  EXPIRY_GRACE_MS,
  ANONYMOUS,
  type Authenticator,
  type Authorize,
  type Principal,
  type AuthenticationResult,
} from '../admission/authenticator.ts'
import type { EventLog } from '../log/log.ts'
import type { LogRetention } from '../log/log-retention.ts'
import {
  AuthenticatedConnection,
  type AuthenticatedConnectionHost,
} from './authenticated-connection.ts'
import type { Connection, ConnectionHost } from './connection.ts'
import type { Publishing } from '../publishing/publishing.ts'
import type { KeepaliveScheduler } from '../../keepalive.ts'
import type { Sessions } from '../sessions/session.ts'
import type { SubscriberSession } from '../sessions/subscriber-session.ts'
import type { Subscribing } from '../sessions/subscribing.ts'
import type { FlushScheduler } from '../flush-scheduler.ts'

/** When a client whose principal has as many connections as it may should try again: one of them may have ended by then. */
const LIMIT_RETRY_MS = 5_000

export interface ConnectionManagerOptions {
  readonly epoch: string
  readonly log: EventLog
  readonly clock: Clock
  readonly keepalive: KeepaliveScheduler
  readonly sessions: Sessions
  readonly retention: LogRetention
  readonly subscribing: Subscribing
  readonly publishing: Publishing
  readonly flush: FlushScheduler
  readonly counters: Counters
  /** Those that were welcomed. Changed here only. */
  readonly authenticated: Map<Connection, AuthenticatedConnection>
  readonly authenticator: Authenticator
  readonly metering: Metering
  /** Connections of each principal. */
  readonly principals: ConnectionLimiter
  readonly authorize: Authorize | undefined
  readonly heartbeatMs: number
  readonly helloMs: number
  readonly publishPerSecond: number
  readonly wire: WireLimits
  readonly onError: (error: unknown) => void
}

/** Brings connections, principals and sessions together. */
export class ConnectionManager implements ConnectionHost, AuthenticatedConnectionHost {
  readonly connections: Set<Connection> = new Set()
  readonly authenticated: Map<Connection, AuthenticatedConnection>
  readonly clock: Clock
  readonly helloMs: number
  readonly keepalive: KeepaliveScheduler
  readonly keepsRequests: boolean
  readonly publishPerSecond: number
  readonly line: PublishLine = publishLine()
  readonly log: EventLog
  readonly publishing: Publishing
  readonly flush: FlushScheduler
  readonly counters: Counters
  readonly metering: Metering
  readonly #options: ConnectionManagerOptions
  readonly #authentication: ConnectionAuthentication
  readonly #emptyWaiters: (() => void)[] = []

  constructor(options: ConnectionManagerOptions) {
    this.#options = options
    const { clock } = options
    this.authenticated = options.authenticated
    this.clock = clock
    this.helloMs = options.helloMs
    this.keepsRequests = options.authenticator.readsCredentials
    this.publishPerSecond = options.publishPerSecond
    this.keepalive = options.keepalive
    this.log = options.log
    this.publishing = options.publishing
    this.flush = options.flush
    this.counters = options.counters
    this.metering = options.metering
    this.#authentication = new ConnectionAuthentication(options)
  }

  greet(connection: Connection, hello: Hello): void {
    const { token } = hello
    if (connection.principal !== undefined && token === undefined) {
      this.#open(connection, hello, connection.principal)
      return
    }
    this.#authentication.identify(connection, token, (principal) =>
      this.#open(connection, hello, principal),
    )
  }

  authenticate(connection: Connection, token: string): void {
    this.#authentication.renew(connection, token, (principal) => {
      const authenticated = this.authenticated.get(connection)
      if (authenticated === undefined) return
      if (principal.id === authenticated.session.principalId)
        this.#renew(connection, authenticated, principal)
      else connection.close(4403, 'another principal')
    })
  }

  /** @param isForGood - its client closed it in an orderly way */
  left(connection: Connection, isForGood: boolean): void {
    this.connections.delete(connection)
    const authenticated = this.authenticated.get(connection)
    if (authenticated !== undefined) {
      this.authenticated.delete(connection)
      this.#options.sessions.detach(authenticated.session, authenticated, this.now(), isForGood)
      this.flush.schedule()
    }
    if (this.connections.size > 0) return
    for (const resolve of this.#emptyWaiters.splice(0)) resolve()
  }

  now(): number {
    return this.clock.now()
  }

  subscribe(
    { session, permission }: AuthenticatedConnection,
    sub: WireSubscription,
  ): number | SubscriptionRefusal {
    return this.#options.subscribing.add(session, permission, sub)
  }

  unsubscribe({ session }: AuthenticatedConnection, id: number): void {
    this.#options.subscribing.remove(session, id)
  }

  restored(subscriber: SubscriberSession): void {
    this.#options.retention.needs(subscriber.acked)
    this.flush.schedule()
  }

  /** Ends the sessions of a principal and its connections. @returns how many sessions */
  revoke(principalId: string): number {
    const count = this.#options.sessions.revoke(principalId, 4403, 'revoked')
    for (const connection of this.connections) {
      if (connection.principal?.id === principalId) connection.close(4403, 'revoked')
    }
    return count
  }

  /** Sends every connection away to come back later; `ws` destroys those that do not answer the close. Resolves when all are gone. */
  async drain(spreadMs: number): Promise<void> {
    for (const connection of this.connections) {
      const authenticated = this.authenticated.get(connection)
      if (authenticated === undefined) connection.close(1001, 'going away')
      else authenticated.goAway(byeLine({ code: 1001, spreadMs }), 1001, 'going away')
    }
    if (this.connections.size > 0)
      await new Promise<void>((resolve) => this.#emptyWaiters.push(resolve))
  }

  /** Closes the connections whose credentials expired. */
  endExpired(now: number): void {
    for (const authenticated of this.authenticated.values()) {
      if (now >= authenticated.expiresAt) authenticated.ended(4401, 'expired')
    }
  }

  /** Sends `ok` again to publishers whose events have waited for a while. */
  reassure(now: number): void {
    for (const authenticated of this.authenticated.values()) authenticated.reassure(now)
  }

  #open(connection: Connection, hello: Hello, principal: Principal): void {
    if (this.#options.sessions.isOutdated(hello, principal, this.now())) {
      this.counters.fenced++
      connection.close(4410, 'replaced')
      return
    }
    if (!this.#reserve(connection, hello, principal)) {
      connection.goAway(4429, 'connections', LIMIT_RETRY_MS)
      return
    }
    const permission = this.#permissionOf(principal)
    const options = { ...this.#options, window: this.#options.wire.window }
    const greeting = greet(hello, principal, permission, options, this.now())
    if (greeting === undefined) {
      connection.close(4503, 'sessions')
      return
    }
    const { session } = greeting
    session.newestLink = hello.link ?? session.newestLink
    connection.principal = principal
    const authenticated = new AuthenticatedConnection(
      connection,
      session,
      { permission, expiresAt: this.expiryOf(principal) },
      this,
    )
    this.#options.sessions.attach(session, authenticated, this.now())
    this.authenticated.set(connection, authenticated)
    if (greeting.resumed) this.counters.resumed++
    this.counters.gaps += greeting.gaps.length
    session.subscriber.progressed(this.now())
    this.#options.retention.needs(session.subscriber.acked)
    const { text, later } = this.#welcomeOf(greeting)
    connection.welcome(authenticated, text)
    for (const [n, code] of later) authenticated.refused(n, code)
    this.flush.mark(authenticated)
  }

  /** A connection that resumes the session of another one replaces it. */
  #reserve(connection: Connection, { sid }: Hello, principal: Principal): boolean {
    const session = this.#options.sessions.find(sid, principal, this.now())
    const name = countedName(principal)
    return connection.reserve(this.#options.principals, name, session?.link !== undefined)
  }

  #welcomeOf({ session, resumed, subs, gaps }: Greeting): FittedWelcome {
    const { epoch, wire, heartbeatMs } = this.#options
    const welcome = {
      sid: session.sid,
      resumed,
      last: session.published?.confirmed ?? 0,
      refused: session.published?.refusals() ?? [],
      epoch,
      head: this.log.lastOffset,
      limits: wire,
      heartbeatMs,
      subs,
      gaps,
    }
    return fitWelcome(welcome, session.subscriber.maxMessageBytes)
  }

  #renew(
    connection: Connection,
    authenticated: AuthenticatedConnection,
    principal: Principal,
  ): void {
    const permission = this.#permissionOf(principal)
    const subs = [...authenticated.session.subscriber.list()]
    if (subs.some(({ pattern }) => !permission.maySubscribe(pattern))) {
      connection.close(4403, 'subscription')
      return
    }
    connection.principal = principal
    authenticated.permission = permission
    authenticated.expiresAt = this.expiryOf(principal)
  }

  #permissionOf(principal: Principal): Permission {
    return new Permission(principal, this.#options.authorize, this.#options.onError)
  }

  /** When the credentials of a principal expire: they say it by the wall clock, the hub counts by its own. */
  expiryOf({ expiresAt = Infinity }: Principal): number {
    return this.now() + (expiresAt - Date.now()) + EXPIRY_GRACE_MS
  }
}

export interface ConnectionAuthenticationOptions {
  readonly authenticator: Authenticator
  readonly counters: Counters
  readonly onError: (error: unknown) => void
}

/** Authenticates connections, and renews their credentials one after the other. */
export class ConnectionAuthentication {
  readonly #options: ConnectionAuthenticationOptions
  /** Connections that renew, with the newest token that came meanwhile: it replaces those before. */
  readonly #renewing = new Map<Connection, string | undefined>()

  constructor(options: ConnectionAuthenticationOptions) {
    this.#options = options
  }

  /** @param then - not called if the connection is refused, or closes meanwhile */
  identify(
    connection: Connection,
    token: string | undefined,
    then: (principal: Principal) => void,
  ): void {
    void this.#settle(connection, token, then)
  }

  /** The same for fresh credentials. */
  renew(connection: Connection, token: string, then: (principal: Principal) => void): void {
    const isUnderWay = this.#renewing.has(connection)
    this.#renewing.set(connection, isUnderWay ? token : undefined)
    if (!isUnderWay) void this.#renewUntilLast(connection, token, then)
  }

  async #renewUntilLast(
    connection: Connection,
    token: string,
    then: (principal: Principal) => void,
  ): Promise<void> {
    let next: string | undefined = token
    while (next !== undefined) {
      await this.#settle(connection, next, then)
      next = connection.isOver ? undefined : this.#renewing.get(connection)
      this.#renewing.set(connection, undefined)
    }
    this.#renewing.delete(connection)
  }

  async #settle(
    connection: Connection,
    token: string | undefined,
    then: (principal: Principal) => void,
  ): Promise<void> {
    const { authenticator, counters, onError } = this.#options
    const use = (result: AuthenticationResult): void => {
      if (connection.isOver) return
      if (result === 'unauthorized') {
        counters.unauthorized++
        connection.close(4401, 'unauthorized')
      } else if (result === 'unavailable') connection.close(4503, 'authentication')
      else then(result)
    }
    try {
      const { request } = connection
      // Without `authenticate` the request is not kept: the client is as anonymous as before.
      if (request === undefined) use(ANONYMOUS)
      else await authenticator.authenticate({ request, token }, () => connection.isOver, use)
    } catch (error) {
      onError(error)
      connection.close(1011, '')
    }
  }
}
