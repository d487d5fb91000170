/** The exchange: the parts of a `bus.v1` hub behind its sockets, wired together. */

import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock, Random, Timer } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import type { WebSocket } from 'ws'
import { wireDefaults } from '../../protocol/bus-v1/limits.ts'
import { ConnectionLimiter } from '../connection-limiter.ts'
import { Metering } from '../metering.ts'
import { Confirmations } from './publishing/confirmations.ts'
import { newCounters, type Counters, type BusV1Stats } from './stats.ts'
import {
  Authenticator,
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
import { Publishing, type RelayState } from './publishing/publishing.ts'
import { ConnectionManager } from './connections/connection-manager.ts'
import { Sessions } from './sessions/session.ts'
import { Subscribing } from './sessions/subscribing.ts'
import { FlushScheduler } from './flush-scheduler.ts'
import type { ResolvedBusV1Options } from '../options.ts'

const NO_RELAY: RelayState = Object.freeze({ isFull: false, hasPlainConnections: false })

const newRandomId = (): string => randomBytes(16).toString('base64url')

/** Connections come in through {@link join}; everything else happens on their lines. */
export class Exchange {
  readonly epoch: string
  readonly log: EventLog
  /** Connections of each principal, on both wires. */
  readonly principals: ConnectionLimiter
  readonly #options: ExchangeOptions
  readonly #metering: Metering
  readonly #onChores: (now: number) => void
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
  readonly #chores: MaintenanceTimer

  constructor(options: ExchangeOptions, tools: ExchangeTools = {}) {
    const { clock = systemClock, random = Math.random, newId = newRandomId } = tools
    const { limits } = options
    this.#options = options
    this.#clock = clock
    this.epoch = newId()
    this.principals = new ConnectionLimiter(limits.connectionsPerPrincipal)
    this.#metering = tools.metering ?? new Metering({ ...limits, clock })
    this.#onChores = tools.onMaintenance ?? (() => {})
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
    this.#connections = this.#newConnectionManager(authenticated, clock, random)
    const { sessionTtlMs, holdMs, log, graceMs } = options
    const shortest = Math.min(sessionTtlMs, holdMs, log.maxAgeMs, graceMs || Infinity)
    this.#chores = new MaintenanceTimer(clock, shortest, (now) => this.#doChores(now))
  }

  /** Connections. */
  get size(): number {
    return this.#connections.connections.size
  }

  /** Tells who shows these credentials with its handshake. */
  async admit(shown: PresentedCredentials, isGone: () => boolean): Promise<AuthenticationResult> {
    const admission = await this.#authenticator.authenticate(shown, isGone)
    if (admission === 'unauthorized') this.#counters.unauthorized++
    return admission
  }

  /** Takes a place for a connection whose handshake has told who it is. @returns whether there was one */
  takePlace(tcp: Duplex, principal: Principal): boolean {
    return this.principals.reserve(tcp, countedName(principal))
  }

  /** When somebody's credentials end, by the hub's clock. */
  endOf(principal: Principal): number {
    return this.#connections.endOf(principal)
  }

  /** Takes a connection that speaks `bus.v1`. @param principal - who it is, if the handshake has told */
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

  /** An event of the plain wire, at most once. @param line - `<type> <id> <body>`; @returns its offset, if it has one */
  publishPlain(type: string, line: Buffer): number | undefined {
    return this.#publishing.publishPlain(type, line, this.#clock.now())
  }

  /** An event that can come later again. @returns whether there was room for it */
  append(type: string, line: Buffer): boolean {
    return this.#publishing.append(type, line, this.#clock.now()) !== undefined
  }

  /** There may be room again. */
  wake(): void {
    this.#flush.schedule()
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
    const count = this.#connections.revoke(principalId)
    this.#changed()
    return count
  }

  /** Takes nothing new and asks every connection to come back within `spreadMs`. Resolves when all are gone. */
  drain(spreadMs: number): Promise<void> {
    this.#publishing.isClosed = true
    return this.#connections.drain(spreadMs)
  }

  /** No timer is left. After {@link drain}. */
  close(): void {
    this.#chores.stop()
  }

  /** None where being in the log is all that a publisher waits for. */
  #newConfirmations(sharedUpTo: (() => number) | undefined): Confirmations | undefined {
    const isBySubscribers = this.#options.confirm === 'subscribers'
    if (!isBySubscribers && sharedUpTo === undefined) return undefined
    return new Confirmations(isBySubscribers ? this.#sessions : [], sharedUpTo)
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
      maxHeldBytes: limits.heldBytes,
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
    clock: Clock,
    random: Random,
  ): ConnectionManager {
    const { log, epoch } = this
    const { limits, heartbeatMs, helloMs, authorize } = this.#options
    const subscribing = new Subscribing({
      log,
      sets: this.#sets,
      maxPerSession: limits.subscriptionsPerConnection,
      maxInAll: limits.subscriptions,
      onChanged: () => this.#changed(),
    })
    return new ConnectionManager({
      epoch,
      log,
      clock,
      random,
      sessions: this.#sessions,
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
      onChanged: () => this.#changed(),
    })
  }

  /** Sessions or subscriptions are others than before. */
  #changed(): void {
    this.#retention.needsChanged()
    this.#confirmations?.subscriptionsChanged()
    this.#flush.schedule()
  }

  #callbackFailed(error: unknown): void {
    this.#counters.callbackErrors++
    this.#options.onError?.(error)
  }

  #doChores(now: number): void {
    if (this.#sessions.sweep(now) > 0) this.#changed()
    this.#retention.expire(now)
    for (const { subscriber } of this.#sessions) subscriber.prepare(this.log)
    this.#connections.endExpired(now)
    this.#connections.reassure(now)
    this.#metering.sweep(now)
    this.#onChores(now)
    this.#flush.progress()
  }
}

/** The options of the hub that an exchange needs. */
export interface ExchangeOptions extends ResolvedBusV1Options {
  /** The largest message in bytes. The sockets see to it; here it is only announced. */
  readonly maxMessageBytes: number
}

/** What is replaced in a simulation. */
export interface ExchangeTools {
  readonly clock?: Clock
  readonly random?: Random
  /** A name that nobody can guess. @default 128 random bits */
  readonly newId?: () => string
  /** An event of a session entered the log. @returns whether its publisher waits for the backend. @default it does not */
  readonly onPublished?: (offset: number) => boolean
  /** The last offset that needs no backend any more. @default there is no backend */
  readonly sharedUpTo?: () => number
  /** Counts what connections send. @default one of its own */
  readonly metering?: Metering
  /** Something else that has to be looked after from time to time. @default nothing */
  readonly onMaintenance?: (now: number) => void
  /** Whether an event that a client publishes has been here before. @default never */
  readonly isEcho?: (type: string, id: string, body: Buffer) => boolean
  /** The plain wire, which gets the events too. @default nothing is connected there, and it is never full */
  readonly relay?: RelayState
}

/** How often, at most and at least. */
const PERIOD_MS = { min: 5, max: 1_000 }

/** Runs something again and again until it is stopped. */
export class MaintenanceTimer {
  readonly #clock: Clock
  readonly #run: (now: number) => void
  readonly #periodMs: number
  #timer: Timer | undefined

  /** @param shortestMs - the shortest time that anything is allowed; it is looked after four times within it */
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
    // A hub that is attached to somebody else's server must not keep the process alive by itself.
    this.#timer.unref?.()
  }
}
