/** The reception: welcomes peers, renews their credentials, and sees them off. */

import type { Clock, Random } from '@bus/core'
import { byeLine } from '../../../protocol/bus-v1/lines.ts'
import type { SubscriptionRefusal, WireLimits } from '../../../protocol/bus-v1/limits.ts'
import type { Hello, WireSubscription } from '../../../protocol/bus-v1/hello.ts'
import { publishLine, type PublishLine } from '../../../protocol/bus-v1/lines.ts'
import type { Metering, Places } from '../../metering.ts'
import type { Counters } from '../stats.ts'
import { fitWelcome, greet, type FittedWelcome, type Greeting } from './greeting.ts'
import {
  Permission,
  countedName,
  EXPIRY_GRACE_MS,
  ANONYMOUS,
  type Gate,
  type Authorize,
  type Principal,
  type Admission,
} from '../admission/gate.ts'
import type { EventLog } from '../log/log.ts'
import { Member, type MemberHost } from './member.ts'
import type { Peer, PeerHost } from './peer.ts'
import type { Publishing } from '../publishing/publishing.ts'
import { Pulse } from './pulse.ts'
import type { Sessions } from '../sessions/session.ts'
import type { Subscribing } from '../subscribing/subscribing.ts'
import type { Turn } from '../turn.ts'

/** When somebody with as many connections as it may have should try again: a place becomes free when one of them ends. */
const PLACE_RETRY_MS = 5_000

export interface ReceptionOptions {
  readonly epoch: string
  readonly log: EventLog
  readonly clock: Clock
  readonly random: Random
  readonly sessions: Sessions
  readonly subscribing: Subscribing
  readonly publishing: Publishing
  readonly turn: Turn<Member>
  readonly counters: Counters
  readonly gate: Gate
  readonly metering: Metering
  /** Connections of each principal. */
  readonly principals: Places
  readonly authorize: Authorize | undefined
  readonly heartbeatMs: number
  readonly helloMs: number
  readonly publishPerSecond: number
  readonly wire: WireLimits
  readonly onError: (error: unknown) => void
  /** Sessions or subscriptions are others than before. */
  readonly onChanged: () => void
  /** A subscriber settled something. */
  readonly onProgress: () => void
}

/** The only place where peers, principals and sessions meet. */
export class Reception implements PeerHost, MemberHost {
  readonly peers: Set<Peer> = new Set()
  readonly members: Map<Peer, Member> = new Map()
  readonly clock: Clock
  readonly helloMs: number
  readonly pulse: Pulse
  readonly keepsRequests: boolean
  readonly publishPerSecond: number
  readonly line: PublishLine = publishLine()
  readonly log: EventLog
  readonly publishing: Publishing
  readonly turn: Turn<Member>
  readonly counters: Counters
  readonly metering: Metering
  readonly #options: ReceptionOptions
  readonly #identifying: Identifying
  readonly #emptyWaiters: (() => void)[] = []

  constructor(options: ReceptionOptions) {
    this.#options = options
    const { clock, random, heartbeatMs } = options
    this.clock = clock
    this.helloMs = options.helloMs
    this.keepsRequests = options.gate.readsCredentials
    this.publishPerSecond = options.publishPerSecond
    this.pulse = new Pulse({ clock, random, intervalMs: heartbeatMs })
    this.log = options.log
    this.publishing = options.publishing
    this.turn = options.turn
    this.counters = options.counters
    this.metering = options.metering
    this.#identifying = new Identifying(options)
  }

  greet(peer: Peer, hello: Hello): void {
    const { token } = hello
    if (peer.principal !== undefined && token === undefined) {
      this.#open(peer, hello, peer.principal)
      return
    }
    this.#identifying.identify(peer, token, (principal) => this.#open(peer, hello, principal))
  }

  authenticate(peer: Peer, token: string): void {
    this.#identifying.renew(peer, token, (principal) => {
      const member = this.members.get(peer)
      if (member === undefined) return
      if (principal.id === member.session.principalId) this.#renew(peer, member, principal)
      else peer.close(4403, 'another principal')
    })
  }

  left(peer: Peer): void {
    this.peers.delete(peer)
    const member = this.members.get(peer)
    if (member !== undefined) {
      this.members.delete(peer)
      this.#options.sessions.detach(member.session, member, this.now())
      this.#options.onChanged()
    }
    if (this.peers.size > 0) return
    for (const resolve of this.#emptyWaiters.splice(0)) resolve()
  }

  now(): number {
    return this.clock.now()
  }

  subscribe({ session, permission }: Member, sub: WireSubscription): number | SubscriptionRefusal {
    return this.#options.subscribing.add(session, permission, sub)
  }

  unsubscribe({ session }: Member, id: number): void {
    this.#options.subscribing.remove(session, id)
  }

  progress(): void {
    this.#options.onProgress()
  }

  restored(): void {
    this.#options.onChanged()
  }

  /** Ends the sessions of a principal and its connections. @returns how many sessions */
  revoke(principalId: string): number {
    const count = this.#options.sessions.revoke(principalId, 4403, 'revoked')
    for (const peer of this.peers) {
      if (peer.principal?.id === principalId) peer.close(4403, 'revoked')
    }
    return count
  }

  /** Asks every peer to come back; `ws` destroys those that do not answer the close. Resolves when all are gone. */
  async sendAway(spreadMs: number): Promise<void> {
    for (const peer of this.peers) {
      const member = this.members.get(peer)
      if (member === undefined) peer.close(1001, 'going away')
      else member.leave(byeLine({ code: 1001, spreadMs }), 1001, 'going away')
    }
    if (this.peers.size > 0) await new Promise<void>((resolve) => this.#emptyWaiters.push(resolve))
  }

  /** Closes the links whose credentials ended a while ago. */
  endExpired(now: number): void {
    for (const member of this.members.values()) {
      if (now >= member.expiresAt) member.ended(4401, 'expired')
    }
  }

  /** Tells publishers whose events wait that they are not forgotten. */
  reassure(now: number): void {
    for (const member of this.members.values()) member.reassure(now)
  }

  #open(peer: Peer, hello: Hello, principal: Principal): void {
    if (this.#options.sessions.isOutdated(hello, principal, this.now())) {
      this.counters.fenced++
      peer.close(4410, 'replaced')
      return
    }
    if (!this.#hasPlace(peer, hello, principal)) {
      peer.leave(4429, 'connections', PLACE_RETRY_MS)
      return
    }
    const permission = this.#permissionOf(principal)
    const options = { ...this.#options, window: this.#options.wire.window }
    const greeting = greet(hello, principal, permission, options, this.now())
    if (greeting === undefined) {
      peer.close(4503, 'sessions')
      return
    }
    const { session } = greeting
    session.newestLink = hello.link ?? session.newestLink
    peer.principal = principal
    const member = new Member(peer, session, { permission, expiresAt: this.endOf(principal) }, this)
    this.#options.sessions.attach(session, member)
    this.members.set(peer, member)
    if (greeting.resumed) this.counters.resumed++
    this.counters.gaps += greeting.gaps.length
    session.isGivenUp = false
    session.blockingSince = undefined
    this.#options.onChanged()
    const { text, later } = this.#welcomeOf(greeting)
    peer.welcome(member, text)
    for (const [n, code] of later) member.refused(n, code)
    this.turn.mark(member)
  }

  /** One that goes on with the session of a link that is still there takes its place. */
  #hasPlace(peer: Peer, { sid }: Hello, principal: Principal): boolean {
    const session = this.#options.sessions.find(sid, principal, this.now())
    const name = countedName(principal)
    return peer.takePlace(this.#options.principals, name, session?.link !== undefined)
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

  #renew(peer: Peer, member: Member, principal: Principal): void {
    const permission = this.#permissionOf(principal)
    const subs = [...member.session.subscriber.list()]
    if (subs.some(({ pattern }) => !permission.maySubscribe(pattern))) {
      peer.close(4403, 'subscription')
      return
    }
    peer.principal = principal
    member.permission = permission
    member.expiresAt = this.endOf(principal)
  }

  #permissionOf(principal: Principal): Permission {
    return new Permission(principal, this.#options.authorize, this.#options.onError)
  }

  /** Credentials end by the wall clock; the hub counts by its own. */
  endOf({ expiresAt = Infinity }: Principal): number {
    return this.now() + (expiresAt - Date.now()) + EXPIRY_GRACE_MS
  }
}

export interface IdentifyingOptions {
  readonly gate: Gate
  readonly counters: Counters
  readonly onError: (error: unknown) => void
}

/** One authentication at a time for each peer. */
export class Identifying {
  readonly #options: IdentifyingOptions
  /** Peers that renew, with the token that came last meanwhile: those before it count for nothing any more. */
  readonly #renewing = new Map<Peer, string | undefined>()

  constructor(options: IdentifyingOptions) {
    this.#options = options
  }

  /** @param then - called unless the peer was closed for it, or is gone meanwhile */
  identify(peer: Peer, token: string | undefined, then: (principal: Principal) => void): void {
    void this.#settle(peer, token, then)
  }

  /** The same for fresh credentials. */
  renew(peer: Peer, token: string, then: (principal: Principal) => void): void {
    const isUnderWay = this.#renewing.has(peer)
    this.#renewing.set(peer, isUnderWay ? token : undefined)
    if (!isUnderWay) void this.#renewUntilLast(peer, token, then)
  }

  async #renewUntilLast(
    peer: Peer,
    token: string,
    then: (principal: Principal) => void,
  ): Promise<void> {
    let next: string | undefined = token
    while (next !== undefined) {
      await this.#settle(peer, next, then)
      next = peer.isOver ? undefined : this.#renewing.get(peer)
      this.#renewing.set(peer, undefined)
    }
    this.#renewing.delete(peer)
  }

  async #settle(
    peer: Peer,
    token: string | undefined,
    then: (principal: Principal) => void,
  ): Promise<void> {
    const { gate, counters, onError } = this.#options
    try {
      const admission = await this.#admissionOf(peer, token, gate)
      if (peer.isOver) return
      if (admission === 'unauthorized') {
        counters.unauthorized++
        peer.close(4401, 'unauthorized')
      } else if (admission === 'unavailable') peer.close(4503, 'authentication')
      else then(admission)
    } catch (error) {
      onError(error)
      peer.close(1011, '')
    }
  }

  #admissionOf(peer: Peer, token: string | undefined, gate: Gate): Admission | Promise<Admission> {
    const { request } = peer
    // Let go of: nobody looks at it, and whoever was let in once is no less anonymous now.
    if (request === undefined) return ANONYMOUS
    return gate.admit({ request, token }, () => peer.isOver)
  }
}
