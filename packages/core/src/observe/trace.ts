/** The trace of a transport: its latest changes of state, with times and statistics, as plain data. */
import { check } from '../config/checks.ts'
import type { StateName, TransportStatus } from '../contract/status.ts'
import { errorData, type ErrorData } from './error-data.ts'

/** One change of state. Times are milliseconds since the trace began. */
export interface Transition {
  readonly atMs: number
  readonly from: StateName
  readonly to: StateName
  /** How long the state before it lasted. */
  readonly lastedMs: number
  /** What the new state knows besides: attempt, generation, delay, protocol. */
  readonly details: Readonly<Record<string, string | number>>
  /** Why, where something failed. */
  readonly cause?: ErrorData
}

/** How often a state was entered, and how long it lasted altogether. */
export interface StateStatistics {
  readonly entered: number
  readonly totalMs: number
}

/** What a trace says at one moment: plain data, made for `JSON.stringify`. */
export interface TransportTrace {
  /** When the trace began, an ISO date and time. */
  readonly startedAt: string
  /** Milliseconds since then. */
  readonly ageMs: number
  readonly state: StateName
  /** Milliseconds that the link of now has been ready; 0 without one. */
  readonly uptimeMs: number
  /** Links that became ready after the first. */
  readonly reconnects: number
  /** Attempts to make a link that failed. */
  readonly failures: number
  /** By state, those that were ever entered. */
  readonly states: Readonly<Partial<Record<StateName, StateStatistics>>>
  /** Older changes that are no longer kept. */
  readonly forgotten: number
  /** The latest changes, the oldest first. */
  readonly transitions: readonly Transition[]
}

/** How a trace is kept. */
export interface StateTraceOptions {
  /** Changes that are kept, an integer ≥ 1; older ones are forgotten but stay in the statistics. @default 100 */
  readonly capacity?: number
  /** Wall clock in milliseconds since 1970, for `startedAt`. @default Date.now */
  readonly now?: () => number
}

const isCapacity = check.integer({ min: 1 })

/** Keeps the changes of a transport's status. Costs something only when the status changes. */
export class StateTrace {
  readonly #capacity: number
  readonly #startedAt: number
  readonly #begin: number
  readonly #states = new Map<StateName, { entered: number; totalMs: number }>()
  readonly #transitions: Transition[] = []
  #status: TransportStatus
  #readySince: number | undefined
  #links = 0
  #failures = 0
  #changes = 0

  /**
   * @param status - of the moment at which the trace begins
   * @throws `ConfigError` for a capacity that is none.
   */
  constructor(status: TransportStatus, options: StateTraceOptions = {}) {
    const { capacity = 100, now = Date.now } = options
    isCapacity('capacity', capacity)
    this.#capacity = capacity
    this.#startedAt = now()
    this.#begin = status.since
    this.#status = status
    this.#count(status)
  }

  /** Notes that the status is another one now. */
  note(status: TransportStatus): void {
    const previous = this.#status
    const lastedMs = status.since - previous.since
    this.#statistics(previous.state).totalMs += lastedMs
    this.#count(status)
    this.#status = status
    const cause =
      'cause' in status && status.cause !== undefined ? errorData(status.cause) : undefined
    const transition: Transition = {
      atMs: status.since - this.#begin,
      from: previous.state,
      to: status.state,
      lastedMs,
      details: detailsOf(status),
      ...(cause === undefined ? {} : { cause }),
    }
    this.#changes++
    this.#transitions.push(Object.freeze(transition))
    if (this.#transitions.length > this.#capacity) this.#transitions.shift()
  }

  /** @param now - the monotonic clock of the statuses, in milliseconds */
  read(now: number): TransportTrace {
    const states: Partial<Record<StateName, StateStatistics>> = {}
    for (const [state, { entered, totalMs }] of this.#states) {
      const running = state === this.#status.state ? now - this.#status.since : 0
      states[state] = { entered, totalMs: totalMs + running }
    }
    return Object.freeze({
      startedAt: new Date(this.#startedAt).toISOString(),
      ageMs: now - this.#begin,
      state: this.#status.state,
      uptimeMs: this.#readySince === undefined ? 0 : now - this.#readySince,
      reconnects: Math.max(this.#links - 1, 0),
      failures: this.#failures,
      states,
      forgotten: this.#changes - this.#transitions.length,
      transitions: Object.freeze([...this.#transitions]),
    })
  }

  #count(status: TransportStatus): void {
    this.#statistics(status.state).entered++
    if (status.state === 'ready') {
      this.#links++
      this.#readySince = status.since
      return
    }
    // The link of a transport that drains lives on.
    if (status.state !== 'draining') this.#readySince = undefined
    const hasCause = 'cause' in status && status.cause !== undefined
    if (hasCause && isAttempt(this.#status)) this.#failures++
  }

  #statistics(state: StateName): { entered: number; totalMs: number } {
    let found = this.#states.get(state)
    if (found === undefined) this.#states.set(state, (found = { entered: 0, totalMs: 0 }))
    return found
  }
}

function isAttempt({ state }: TransportStatus): boolean {
  return state === 'connecting' || state === 'bootstrapping'
}

function detailsOf(status: TransportStatus): Readonly<Record<string, string | number>> {
  const details: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(status)) {
    if (name === 'state' || name === 'since' || name === 'cause') continue
    if (typeof value === 'string' || typeof value === 'number') details[name] = value
  }
  return Object.freeze(details)
}
