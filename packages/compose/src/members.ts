/** The members of a composition: who belongs to it now, and their notices. */
import type { Clock, Transport, TransportEvents, Unsubscribe } from '@bus/core'
import { Member } from './member.ts'

/** What the owner of members is notified of. */
export interface MembersOwner {
  added(member: Member): void
  removed(member: Member): void
  notice<K extends keyof TransportEvents>(name: K, notice: TransportEvents[K]): void
}

/** Every notice: one that is added to the contract without a line here does not compile. */
const NOTICES: Readonly<Record<keyof TransportEvents, true>> = Object.freeze({
  status: true,
  open: true,
  close: true,
  error: true,
  undeliverable: true,
  backpressure: true,
  ready: true,
  breaker: true,
  'heartbeat-timeout': true,
  gap: true,
  'rate-limit': true,
  'subscriptions-restored': true,
  'subscriptions-failed': true,
})
const NAMES = Object.freeze(Object.keys(NOTICES) as (keyof TransportEvents)[])

/** In the order in which they came. */
export class Members {
  readonly #clock: Clock
  readonly #errorDecayMs: number
  readonly #owner: MembersOwner
  readonly #listening = new Map<Member, readonly Unsubscribe[]>()
  #list: readonly Member[] = []
  #named = 0

  constructor(clock: Clock, errorDecayMs: number, owner: MembersOwner) {
    this.#clock = clock
    this.#errorDecayMs = errorDecayMs
    this.#owner = owner
  }

  get list(): readonly Member[] {
    return this.#list
  }

  /** These are the members from now on; who was one before stays the same. */
  set(transports: readonly Transport[]): void {
    const before = this.#list
    const isSame =
      transports.length === before.length &&
      transports.every((transport, i) => before[i]?.transport === transport)
    if (isSame) return
    const known = new Map(before.map((member) => [member.transport, member]))
    const list = [...new Set(transports)].map((one) => known.get(one) ?? this.#make(one))
    this.#list = Object.freeze(list)
    for (const member of before) if (!list.includes(member)) this.#remove(member)
    for (const member of list) if (!before.includes(member)) this.#add(member)
  }

  /** Removes all of them. */
  clear(): void {
    for (const member of this.#list) this.#unlisten(member)
    this.#list = []
  }

  #make(transport: Transport): Member {
    this.#named++
    const name = `${transport.name}-${this.#named}`
    return new Member(transport, name, this.#clock, this.#errorDecayMs)
  }

  #add(member: Member): void {
    const stops = NAMES.map((name) =>
      member.transport.on(name, (notice) => this.#owner.notice(name, notice)),
    )
    this.#listening.set(member, stops)
    this.#owner.added(member)
  }

  #remove(member: Member): void {
    this.#unlisten(member)
    this.#owner.removed(member)
  }

  #unlisten(member: Member): void {
    for (const stop of this.#listening.get(member) ?? []) stop()
    this.#listening.delete(member)
  }
}
