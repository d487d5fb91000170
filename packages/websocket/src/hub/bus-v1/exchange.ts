/** The exchange: the parts of a `bus.v1` hub behind its sockets, wired together. */

import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock, EventInit, PublishReceipt, Random, Timer } from '@bus/core'
import { systemClock, withDeadline } from '@bus/core/kit'
import type { WebSocket } from 'ws'
import { wireDefaults } from '../../protocol/bus-v1/limits.ts'
import { ConnectionLimiter } from '../connection-limiter.ts'
import type { HubSession } from '../hub-session.ts'
import { KeepaliveScheduler } from '../keepalive.ts'
import { Metering } from '../metering.ts'
import { Confirmations } from './publishing/confirmations.ts'
import { newCounters, type Counters, type BusV1Stats } from './stats.ts'
import {
  Authenticator,
  Permission,
  countedName,
  type AuthenticationResult,
  type PresentedCredentials,
  type Principal,
} from './admission/authenticator.ts'
import { LogRetention } from './log/log-retention.ts'
import { EventLog } from './log/log.ts'
import type { AuthenticatedConnection } from './connections/authenticated-connection.ts'
import { PatternSets } from './log/pattern-set.ts'
import { Connection } from './connections/connection.ts'
import { HubPublisher } from './publishing/hub-publisher.ts'
import { Publishing, type RelayState } from './publishing/publishing.ts'
import { ConnectionManager } from './connections/connection-manager.ts'
import { Session, Sessions } from './sessions/session.ts'
import { Subscribing } from './sessions/subscribing.ts'
import { FlushScheduler } from './flush-scheduler.ts'
import type { ResolvedHubBusV1Options } from '../options.ts'

/** Who publishes what the application itself publishes. */
const HUB: Principal = Object.freeze({ id: 'hub' })

const NO_RELAY: RelayState = Object.freeze({ isFull: false, hasPlainConnections: false })

const newRandomId = (): string => randomBytes(16).toString('base64url')

/** Connections are added by {@link join}; everything else is caused by what they send. */
export class Exchange {
  readonly epoch: string
  readonly log: EventLog
  /** Connections of each principal, on both wires. */
  readonly principals: ConnectionLimiter
  readonly #options: ExchangeOptions
  readonly #metering: Metering
  readonly #onMaintenance: (now: number) => void
  readonly #clock: Clock
  readonly #counters: Counters = newCounters()
  readonly #sets: PatternSets
  readonly #sessions: Sessions
  readonly #retention: LogRetention
  readonly #confirmations: Confirmations | undefined
  readonly #publishing: Publishing
  readonly #flush: FlushScheduler
  readonly #authenticator: Authenticator
  readonly #connections: ConnectionManager
  readonly #own: HubPublisher
  readonly #maintenance: MaintenanceTimer

  constructor(options: ExchangeOptions, tools: ExchangeTools = {}) {
    const { clock = systemClock, newId = newRandomId } = tools
    const { limits } = options
    this.#options = options
    this.#clock = clock
    this.epoch = newId()
    this.principals = new ConnectionLimiter(limits.connectionsPerPrincipal)
    this.#metering = tools.metering ?? new Metering({ ...limits, clock })
    this.#onMaintenance = tools.onMaintenance ?? (() => {})
    this.log = new EventLog(options.log)
    this.#sets = new PatternSets(this.log)
    this.#sessions = new Sessions({
      ttlMs: options.sessionTtlMs,
      capacity: limits.sessions,
      window: limits.window,
      sets: this.#sets,
      newId,
    })
    this.#retention = new LogRetention({
      log: this.log,
      sessions: this.#sessions,
      holdMs: options.holdMs,
      onGivenUp: () => this.#counters.givenUp++,
    })
    this.#confirmations = this.#newConfirmations(tools.sharedUpTo)
    if (options.confirm === 'subscribers') this.#sets.observer = this.#confirmations
    const authenticated = new Map<Connection, AuthenticatedConnection>()
    this.#flush = new FlushScheduler({
      clock,
      log: this.log,
      sets: this.#sets,
      confirmations: this.#confirmations,
      readers: authenticated,
    })
    this.#publishing = this.#newPublishing(tools)
    this.#flush.attach(this.#publishing)
    this.#authenticator = new Authenticator({
      authenticate: options.authenticate,
      allowAnonymous: options.allowAnonymous,
      concurrency: limits.authentications,
      timeoutMs: options.helloMs,
      clock,
      onError: (error) => this.#callbackFailed(error),
    })
    this.#connections = this.#newConnectionManager(authenticated, tools)
    this.#own = new HubPublisher({
      session: new Session('hub', HUB, this.#sets, limits.window),
      permission: new Permission(HUB, undefined, () => {}),
      publishing: this.#publishing,
      flush: this.#flush,
      now: () => clock.now(),
    })
    const { sessionTtlMs, holdMs, log, graceMs } = options
    const shortest = Math.min(sessionTtlMs, holdMs, log.maxAgeMs, graceMs || Infinity)
    this.#maintenance = new MaintenanceTimer(clock, shortest, (now) => this.#maintain(now))
  }

  /** How many connections there are. */
  get size(): number {
    return this.#connections.connections.size
  }

  /** Nobody would ever read what is published now. */
  get isIdle(): boolean {
    return this.size === 0 && this.#sessions.size === 0
  }

  /** Says who presents these credentials with a handshake. @param use - called with the result */
  authenticate(
    presented: PresentedCredentials,
    isGone: () => boolean,
    use: (result: AuthenticationResult) => void,
  ): Promise<void> {
    return this.#authenticator.authenticate(presented, isGone, (result) => {
      if (result === 'unauthorized') this.#counters.unauthorized++
      use(result)
    })
  }

  /** Counts a plain connection of this principal. `false`: it has as many as it may have. */
  reserve(tcp: Duplex, principal: Principal): boolean {
    return this.principals.reserve(tcp, countedName(principal))
  }

  /** When the credentials of a principal expire, by the hub's clock. */
  expiryOf(principal: Principal): number {
    return this.#connections.expiryOf(principal)
  }

  /** Adds a connection that speaks `bus.v1`. @param principal - who it is, if the handshake has said so */
  join(
    ws: WebSocket,
    tcp: Duplex,
    request: IncomingMessage,
    principal: Principal | undefined,
  ): void {
    this.#connections.connections.add(
      new Connection(ws, tcp, request, principal, this.#connections),
    )
  }

  /** An event of the application that runs the hub. */
  publish(type: string, payload: unknown, init: EventInit | undefined): Promise<PublishReceipt> {
    return this.#own.publish(type, payload, init)
  }

  /** An event of the plain wire, at most once. @param line - `<type> <id> <body>`; @returns its offset, if it has one */
  publishPlain(type: string, line: Buffer): number | undefined {
    return this.#publishing.publishPlain(type, line, this.#clock.now())
  }

  /** An event that is offered again later if there is no room. @returns whether there was room */
  append(type: string, line: Buffer): boolean {
    return this.#publishing.append(type, line, this.#clock.now()) !== undefined
  }

  /** There may be room again. */
  wake(): void {
    this.#flush.schedule()
  }

  /** Those of `bus.v1`, `since` by the hub's clock. */
  sessions(): HubSession[] {
    return Array.from(this.#sessions, ({ principalId, link, connectedAt, goneAt, subscriber }) => ({
      principal: principalId,
      wire: 'bus.v1' as const,
      isConnected: link !== undefined,
      address: link?.address,
      since: link === undefined ? goneAt : connectedAt,
      subscriptions: subscriber.subscriptions,
      unacknowledged: subscriber.unackedEvents,
      behind: subscriber.behind(this.log),
      isGivenUp: subscriber.isGivenUp,
    }))
  }

  stats(): BusV1Stats {
    const { log } = this
    return {
      ...this.#counters,
      connections: this.size,
      sessions: this.#sessions.size,
      held: this.#publishing.pending.events,
      heldBytes: this.#publishing.pending.bytes,
      subscriptions: this.#sets.subscriptions,
      log: {
        events: log.events,
        bytes: log.bytes,
        firstOffset: log.firstOffset,
        lastOffset: log.lastOffset,
      },
    }
  }

  /** Ends every session of a principal and closes its connections with 4403. @returns how many sessions */
  revoke(principalId: string): number {
    this.#authenticator.revoke(principalId)
    const count = this.#connections.revoke(principalId)
    this.#flush.schedule()
    return count
  }

  /**
   * Accepts nothing new, sends subscribers what was accepted, for `timeoutMs` at most, and then sends every connection away, to
   * come back within `spreadMs`. Resolves when all are gone.
   */
  async drain(spreadMs: number, timeoutMs: number): Promise<void> {
    this.#publishing.isClosed = true
    const limits = { timeoutMs, clock: this.#clock, what: 'Draining' }
    // Those that are slower come back for the rest, or are told of a gap.
    await withDeadline(() => this.#flush.whenCaughtUp(), limits).catch(() => {})
    await this.#connections.drain(spreadMs)
  }

  /** No timer is left. After {@link drain}. */
  close(): void {
    this.#maintenance.stop()
    this.#own.close()
  }

  /** `undefined` where an event is confirmed once it is in the log. */
  #newConfirmations(sharedUpTo: (() => number) | undefined): Confirmations | undefined {
    const isBySubscribers = this.#options.confirm === 'subscribers'
    if (!isBySubscribers && sharedUpTo === undefined) return undefined
    return new Confirmations({
      sharedUpTo,
      holdMs: this.#options.holdMs,
      onGivenUp: () => this.#counters.givenUp++,
    })
  }

  #newPublishing(tools: ExchangeTools): Publishing {
    const { limits, graceMs, source } = this.#options
    return new Publishing({
      log: this.log,
      retention: this.#retention,
      confirmations: this.#confirmations,
      counters: this.#counters,
      maxEventBytes: limits.maxEventBytes,
      isStamped: source === 'principal',
      maxPendingBytes: limits.heldBytes,
      opensAt: this.#clock.now() + graceMs,
      flush: this.#flush,
      onPublished: tools.onPublished ?? (() => false),
      relay: tools.relay ?? NO_RELAY,
      hasBackend: tools.sharedUpTo !== undefined,
      isEcho: tools.isEcho,
    })
  }

  #newConnectionManager(
    authenticated: Map<Connection, AuthenticatedConnection>,
    tools: ExchangeTools,
  ): ConnectionManager {
    const { clock = systemClock, random = Math.random } = tools
    const { log, epoch } = this
    const { limits, heartbeatMs, helloMs, authorize } = this.#options
    const subscribing = new Subscribing({
      log,
      sets: this.#sets,
      maxPerSession: limits.subscriptionsPerConnection,
      maxInAll: limits.subscriptions,
      retention: this.#retention,
      flush: this.#flush,
    })
    return new ConnectionManager({
      epoch,
      log,
      clock,
      keepalive:
        tools.keepalive ?? new KeepaliveScheduler({ clock, random, intervalMs: heartbeatMs }),
      sessions: this.#sessions,
      retention: this.#retention,
      subscribing,
      publishing: this.#publishing,
      flush: this.#flush,
      counters: this.#counters,
      authenticated,
      authenticator: this.#authenticator,
      metering: this.#metering,
      principals: this.principals,
      authorize,
      heartbeatMs,
      helloMs,
      publishPerSecond: limits.publishPerSecond,
      wire: {
        maxEventBytes: limits.maxEventBytes,
        maxLineBytes: this.#options.maxMessageBytes,
        window: limits.window,
        ackMs: wireDefaults.ackMs,
        okMs: wireDefaults.okMs,
      },
      onError: (error) => this.#callbackFailed(error),
    })
  }

  #callbackFailed(error: unknown): void {
    this.#counters.callbackErrors++
    try {
      this.#options.onError?.(error)
    } catch (thrown) {
      // What it throws must not end the hub, which was about to refuse something.
      process.emitWarning(thrown instanceof Error ? thrown : String(thrown))
    }
  }

  #maintain(now: number): void {
    if (this.#sessions.sweep(now) > 0) this.#flush.schedule()
    if ((this.#confirmations?.giveUpStalled(now) ?? 0) > 0) this.#flush.schedule()
    this.#retention.expire(now)
    for (const { subscriber } of this.#sessions) subscriber.prepare(this.log)
    this.#connections.endExpired(now)
    this.#connections.reassure(now)
    this.#metering.sweep(now)
    this.#onMaintenance(now)
    this.#flush.progress()
  }
}

/** The options of the hub that an exchange needs. */
export interface ExchangeOptions extends ResolvedHubBusV1Options {
  /** The largest message in bytes. Enforced by the sockets; here it is only announced. */
  readonly maxMessageBytes: number
}

/** Parts that the hub or a simulation passes in. */
export interface ExchangeTools {
  readonly clock?: Clock
  readonly random?: Random
  /** Makes a name that cannot be guessed. @default 128 random bits */
  readonly newId?: () => string
  /** An event of a session entered the log. @returns whether its publisher waits for the backend. @default it does not */
  readonly onPublished?: (offset: number) => boolean
  /** Every event up to this offset is with the backend, as far as it has to be. @default there is no backend */
  readonly sharedUpTo?: () => number
  /** Pings the connections. @default a new one */
  readonly keepalive?: KeepaliveScheduler
  /** Counts what connections send. @default a new one */
  readonly metering?: Metering
  /** Called with each maintenance. @default nothing */
  readonly onMaintenance?: (now: number) => void
  /** Whether an event that a client publishes comes back to this hub. @default never */
  readonly isEcho?: (type: string, id: string, body: Buffer) => boolean
  /** The plain wire, which gets the events too. @default it has no connection and is never full */
  readonly relay?: RelayState
}

/** The shortest and the longest time between two runs. */
const PERIOD_MS = { min: 5, max: 1_000 }

/** Runs the maintenance at regular intervals until it is stopped. */
export class MaintenanceTimer {
  readonly #clock: Clock
  readonly #run: (now: number) => void
  readonly #periodMs: number
  #timer: Timer | undefined

  /** @param shortestMs - the shortest time that any option sets; the maintenance runs four times within it */
  constructor(clock: Clock, shortestMs: number, run: (now: number) => void) {
    this.#clock = clock
    this.#run = run
    this.#periodMs = Math.min(PERIOD_MS.max, Math.max(PERIOD_MS.min, shortestMs / 4))
    this.#arm()
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#arm()
      this.#run(this.#clock.now())
    }, this.#periodMs)
    // A hub that is attached to a server of the application must not keep the process alive by itself.
    this.#timer.unref?.()
  }
}
