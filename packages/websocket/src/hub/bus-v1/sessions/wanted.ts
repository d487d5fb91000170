/** What a session wants: its subscriptions, and all of their patterns as one set. */
import type { WireMode, WireSubscription } from '../../../protocol/bus-v1/hello.ts'
import type { EventLog } from '../log/log.ts'
import type { PatternSet, PatternSets, Reader } from '../log/pattern-set.ts'

/** With so many subscriptions at most the set of all patterns is made as soon as they have stopped changing. */
const FEW = 16

interface Sub {
  readonly id: number
  readonly mode: WireMode
  /** It wants events behind this offset only. */
  readonly since: number
  /** Its pattern as a set of its own, for the time in which it wants less than its session. */
  readonly set: PatternSet
}

/** Gives back every set that it has taken when it is {@link clear}ed. */
export class Wanted implements Reader {
  readonly #sets: PatternSets
  #subs: readonly Sub[] = []
  #known: PatternSet | undefined
  /** The subscriptions are others than those of {@link #known}. */
  #isStale = false
  #newestSince = 0
  /** Subscriptions that are at least once. */
  #reliable = 0

  constructor(sets: PatternSets) {
    this.#sets = sets
  }

  /** Subscriptions. */
  get size(): number {
    return this.#subs.length
  }

  /** Whether some subscription is at least once. */
  get isReliable(): boolean {
    return this.#reliable > 0
  }

  /** The set of all patterns, made when it is asked for: subscriptions come many at a time, and each of them changes it. */
  get set(): PatternSet {
    if (this.#known !== undefined && !this.#isStale) return this.#known
    const before = this.#known
    const known = this.#sets.acquire(this.#subs.map(({ set }) => set.key))
    // Not before: who resumes says the same subscriptions again, and what the set knows of the log would be gone.
    if (before !== undefined) this.#sets.release(before)
    this.#isStale = false
    this.#known = known
    return known
  }

  /** The same, unless it would have to be made. */
  get madeSet(): PatternSet | undefined {
    return this.#isStale ? undefined : this.#known
  }

  /** Whether behind this offset the set says it all: no subscription wants less than its pattern matches. */
  isWholeBehind(offset: number): boolean {
    return offset >= this.#newestSince
  }

  /** The subscriptions as they stand. */
  *list(): Generator<WireSubscription & { readonly from: number }> {
    for (const { id, mode, since, set } of this.#subs)
      yield { id, pattern: set.key, mode, from: since }
  }

  has(id: number): boolean {
    return this.#subs.some((sub) => sub.id === id)
  }

  /** Another subscription, to events behind `since`, in place of the one with this id. */
  add(id: number, sub: Pick<WireSubscription, 'pattern' | 'mode'>, since: number): void {
    this.remove(id)
    const set = this.#sets.acquire([sub.pattern])
    // Pushing would make room for many more.
    this.#subs = this.#subs.concat({ id, mode: sub.mode, since, set })
    this.#sets.subscriptions++
    if (sub.mode === 'alo') this.#reliable++
    this.#newestSince = Math.max(this.#newestSince, since)
    this.#changed()
  }

  /** `false`: there was none. */
  remove(id: number): boolean {
    const sub = this.#subs.find((one) => one.id === id)
    if (sub === undefined) return false
    this.#subs = this.#subs.filter((one) => one !== sub)
    this.#sets.subscriptions--
    if (sub.mode === 'alo') this.#reliable--
    this.#sets.release(sub.set)
    this.#changed()
    return true
  }

  clear(): void {
    for (const { set } of this.#subs) this.#sets.release(set)
    this.#sets.subscriptions -= this.#subs.length
    this.#subs = []
    this.#reliable = 0
    if (this.#known !== undefined) this.#sets.release(this.#known)
    this.#known = undefined
    this.#sets.forget(this)
  }

  /** What comes is noted from now on. */
  prepare(log: EventLog): void {
    if (this.size > 0) this.set.watch(log)
  }

  settled(log: EventLog): void {
    if (this.size <= FEW) this.prepare(log)
  }

  /** Whether an event is wanted. */
  wants(type: string, offset: number): boolean {
    if (!this.set.wants(type)) return false
    if (offset > this.#newestSince) return true
    for (const sub of this.#subs) if (offset > sub.since && sub.set.wants(type)) return true
    return false
  }

  /** The newest wanted event behind `cursor` that left the log; 0 when there is none. */
  lost(log: EventLog, cursor: number): number {
    if (this.isWholeBehind(cursor)) return log.lostBeyond(cursor, this.set.wants)
    let newest = 0
    for (const { since, set } of this.#subs) {
      newest = Math.max(newest, log.lostBeyond(Math.max(since, cursor), set.wants))
    }
    return newest
  }

  #changed(): void {
    this.#isStale = true
    this.#sets.changed(this)
  }
}
