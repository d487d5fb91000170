/** The lifecycle of a transport: its states, the transitions between them, and what belongs to each. */

import type { ConnectOptions, StateName, TransportStatus } from '@bus/core'
import { Waiters } from '@bus/core/kit'

/** Which state may follow which. Nothing else can be written down, and nothing else happens. */
export const TRANSITIONS = {
  idle: ['connecting', 'draining', 'closed'],
  connecting: ['bootstrapping', 'backoff', 'draining', 'closed'],
  bootstrapping: ['ready', 'backoff', 'draining', 'closed'],
  ready: ['backoff', 'draining', 'closed'],
  backoff: ['connecting', 'draining', 'closed'],
  draining: ['backoff', 'closed'],
  closed: [],
} as const

/** The states from which `To` can be entered. */
type Before<To extends StateName> = {
  [From in StateName]: To extends (typeof TRANSITIONS)[From][number] ? From : never
}[StateName]

/** The states that may follow `From`; of a union, those that may follow each of its members. */
export type Next<From extends StateName> = {
  [To in StateName]: [From] extends [Before<To>] ? To : never
}[StateName]

/** The status of one state. */
type StatusOf<S extends StateName> = Extract<TransportStatus, { readonly state: S }>

/** What the caller gives for a state: its data without what the lifecycle fills in. */
export type Entry<S extends StateName> = S extends StateName
  ? Omit<StatusOf<S>, 'since' | 'generation'>
  : never

/** A change, reported after the fact. */
export interface StatusChange {
  readonly status: TransportStatus
  readonly previous: TransportStatus
}

export interface LifecycleOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Called with each change after it, in order, also when it changes the state itself. */
  readonly onChange: (change: StatusChange) => void
  /** Gets what `onChange` or a disposer threw. Must not throw itself. */
  readonly onError: (error: unknown) => void
}

/**
 * The only place where the state changes.
 *
 * A change happens in this order: the status is the new one, what the old state owned is disposed of, and then
 * `onChange` is called. A change made meanwhile is reported afterwards, never in between.
 */
export class Lifecycle {
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  readonly #changes: OrderedChanges<StatusChange>
  #status: TransportStatus
  #generation = 0
  #owned = new Set<() => void>()

  constructor(options: LifecycleOptions) {
    this.#now = options.now
    this.#onError = options.onError
    this.#changes = new OrderedChanges(options.onChange, options.onError)
    this.#status = Object.freeze({ state: 'idle', since: options.now() })
  }

  get status(): TransportStatus {
    return this.#status
  }

  get state(): StateName {
    return this.#status.state
  }

  /** Grows with each link that reaches bootstrapping; 0 before the first. What a link of an older one says is void. */
  get generation(): number {
    return this.#generation
  }

  /** Whether the table lets this state follow now. */
  can(next: StateName): boolean {
    return (TRANSITIONS[this.state] as readonly StateName[]).includes(next)
  }

  /**
   * Changes the state. A pair outside the table does not compile.
   *
   * @param from - the state, or union of states, that the caller knows itself to be in
   * @throws `TypeError` when the caller is wrong about that
   */
  enter<From extends StateName>(from: From, next: Entry<Next<From>>): TransportStatus {
    const entry: Entry<StateName> = next
    if (this.state !== from || !this.can(entry.state)) {
      throw new TypeError(
        `Cannot enter \`${entry.state}\` from \`${from}\`: the state is \`${this.state}\``,
      )
    }
    const previous = this.#status
    const status = this.#complete(entry)
    const owned = this.#owned
    this.#owned = new Set()
    this.#status = status
    this.#changes.push({ status, previous }, () => this.#dispose(owned))
    return status
  }

  /**
   * Ties a timer, a listener or the like to the current state: it is disposed of when the state is left.
   *
   * @returns a function that disposes of it earlier
   */
  own(dispose: () => void): () => void {
    const owned = this.#owned
    const release = (): void => {
      if (owned.delete(release)) dispose()
    }
    owned.add(release)
    return release
  }

  #complete(entry: Entry<StateName>): TransportStatus {
    const since = this.#now()
    if (entry.state === 'bootstrapping') {
      this.#generation += 1
      return Object.freeze({ ...entry, since, generation: this.#generation })
    }
    if (entry.state === 'ready') {
      return Object.freeze({ ...entry, since, generation: this.#generation })
    }
    return Object.freeze({ ...entry, since })
  }

  #dispose(owned: ReadonlySet<() => void>): void {
    for (const release of owned) {
      try {
        release()
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}

/** A queue between changes and the callback that reports them. */
export class OrderedChanges<T> {
  readonly #report: (change: T) => void
  readonly #onError: (error: unknown) => void
  readonly #waiting: T[] = []
  #isReporting = false

  /**
   * @param report - gets each change, in order, never while it is still busy with the one before
   * @param onError - gets what `report` or a `before` threw; must not throw itself
   */
  constructor(report: (change: T) => void, onError: (error: unknown) => void) {
    this.#report = report
    this.#onError = onError
  }

  /** Reports, or queues while another report is under way. `before` runs first in any case; what it pushes is reported afterwards. */
  push(change: T, before?: () => void): void {
    this.#waiting.push(change)
    const outermost = !this.#isReporting
    this.#isReporting = true
    try {
      if (before !== undefined) this.#guard(before)
      if (outermost) this.#reportAll()
    } finally {
      if (outermost) this.#isReporting = false
    }
  }

  #reportAll(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const change = next
      this.#guard(() => this.#report(change))
    }
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#onError(error)
    }
  }
}

const READINESS = { what: 'Connecting', timedOut: 'The link was not ready' }

/** The callers of `connect`. */
export class Readiness {
  /** Those that a failed attempt ends. */
  readonly #once = new Waiters<undefined>(READINESS)
  /** Those that wait for another attempt. */
  readonly #retrying = new Waiters<undefined>(READINESS)
  #endedBy: Error | undefined

  /** Resolves at the next {@link ready}; rejects by the signal, by the end, and without `retry` by a failed attempt. */
  wait({ signal, retry = false }: ConnectOptions): Promise<void> {
    if (this.#endedBy !== undefined && signal?.aborted !== true) {
      return Promise.reject(this.#endedBy)
    }
    return (retry ? this.#retrying : this.#once).join(undefined, { signal })
  }

  ready(): void {
    this.#once.admitAll()
    this.#retrying.admitAll()
  }

  attemptFailed(error: Error): void {
    this.#once.rejectAll(error)
  }

  /** Ends the waits that there are. */
  refuse(error: Error): void {
    this.#once.rejectAll(error)
    this.#retrying.rejectAll(error)
  }

  /** For good: waits that begin from now on are rejected as well. */
  ended(error: Error): void {
    this.#endedBy = error
    this.refuse(error)
  }
}
