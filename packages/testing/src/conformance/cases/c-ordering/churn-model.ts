/** The reference for churn: which subscription gets which event. Lists and a loop, too simple to be wrong. */
import { matches } from '@bus/core'

/** One subscription, as the model knows it. */
interface ModelSubscription {
  readonly name: string
  /** The number of its bus. */
  readonly bus: number
  readonly patterns: readonly string[]
}

/** What a subscription should have got. */
export interface Due {
  readonly must: readonly number[]
  /** Published while it came or went. */
  readonly may: readonly number[]
}

interface Entry extends ModelSubscription {
  state: 'coming' | 'live' | 'going'
  readonly must: number[]
  readonly may: number[]
}

/** Several buses on one medium, without any medium. */
export class ModelBus {
  readonly #echo: boolean
  readonly #entries = new Map<string, Entry>()

  constructor(echo: boolean) {
    this.#echo = echo
  }

  /** It is about to be subscribed. */
  subscribe(subscription: ModelSubscription): void {
    const { name } = subscription
    this.#entries.set(name, { ...subscription, state: 'coming', must: [], may: [] })
  }

  /** It is about to be unsubscribed. */
  unsubscribe(name: string): void {
    const entry = this.#entries.get(name)
    if (entry !== undefined) entry.state = 'going'
  }

  /** What was about to happen has happened. Gives the names of those that are gone, with what they should have got. */
  settle(): ReadonlyMap<string, Due> {
    const gone = new Map<string, Due>()
    for (const [name, entry] of this.#entries) {
      if (entry.state === 'going') {
        gone.set(name, entry)
        this.#entries.delete(name)
      } else entry.state = 'live'
    }
    return gone
  }

  publish(bus: number, type: string, payload: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.bus === bus && !this.#echo) continue
      if (!entry.patterns.some((pattern) => matches(pattern, type))) continue
      const list = entry.state === 'live' ? entry.must : entry.may
      list.push(payload)
    }
  }

  get size(): number {
    return this.#entries.size
  }

  /** The names of those that neither come nor go. */
  get live(): readonly string[] {
    return [...this.#entries.values()].flatMap(({ state, name }) =>
      state === 'live' ? [name] : [],
    )
  }

  /** What each that has not gone should have got. */
  get due(): ReadonlyMap<string, Due> {
    return this.#entries
  }
}
