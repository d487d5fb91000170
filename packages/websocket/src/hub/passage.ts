/** The passage: which hubs an event has come through, so that hubs that are each other's backend do not pass it on for ever. */
import type { Event } from '@bus/core'

/** Where the hubs that an event has come through are named, the last one last. */
const PASSED = 'busHub'
/** Hubs that an event may come through: more are no detour but a mistake. */
const MAX_HOPS = 8
/** Events that are remembered, of each kind. */
const REMEMBERED = 65_536

/** The names that were seen last. */
class Recent {
  readonly #names = new Set<string>()

  add(name: string): void {
    this.#names.add(name)
    if (this.#names.size <= REMEMBERED) return
    const [oldest] = this.#names
    if (oldest !== undefined) this.#names.delete(oldest)
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }
}

/**
 * Of one hub. Each hub adds itself to what it gives to its backend, with the offset that the event has there: no two things
 * that a hub shares are the same, so what comes twice with one name is a repetition of the medium.
 */
export class Passage {
  readonly #hub: string
  readonly #shared = new Recent()
  readonly #published = new Recent()
  readonly #pulled = new Recent()

  constructor(hub: string) {
    this.#hub = hub
  }

  /** The event as it goes to the backend; `undefined` when it has come far enough. */
  outward(event: Event, offset: number): Event | undefined {
    this.#published.add(nameOf(event))
    const passed = passedBy(event)
    if (passed.length >= MAX_HOPS) return undefined
    const metadata = { ...event.metadata, [PASSED]: [...passed, `${this.#hub}:${offset}`] }
    return { ...event, metadata }
  }

  /** Whether an event of a client has come through another hub, which is that client. */
  isPassedOn(event: Event): boolean {
    return passedBy(event).length > 0
  }

  /** Whether an event of the backend is known: it came through this hub, or came before. */
  isKnown(event: Event): boolean {
    const passed = passedBy(event)
    const [last] = passed.slice(-1)
    // Somebody without a name of its own gave it to the medium: perhaps we did, if the medium is a hub.
    if (last === undefined) return this.#published.has(nameOf(event))
    return this.#isOwn(passed) || this.#shared.has(last)
  }

  /** An event of the backend as subscribers get it; it is known from now on. */
  inward(event: Event): Event {
    const [last] = passedBy(event).slice(-1)
    if (last === undefined) this.#pulled.add(nameOf(event))
    else this.#shared.add(last)
    const { [PASSED]: _passed, ...metadata } = event.metadata
    return { ...event, metadata }
  }

  /** Whether what a client publishes has been here: the client is a hub, and this one its backend. */
  isEcho(event: Event): boolean {
    const passed = passedBy(event)
    return passed.length > 0 && (this.#isOwn(passed) || this.#pulled.has(nameOf(event)))
  }

  #isOwn(passed: readonly string[]): boolean {
    return passed.some((name) => name.startsWith(`${this.#hub}:`))
  }
}

/** Whether the body of an event may name hubs, without reading it. */
export function mayHavePassed(body: Buffer): boolean {
  return body.includes(PASSED)
}

function passedBy({ metadata }: Event): readonly string[] {
  const passed = metadata[PASSED]
  return Array.isArray(passed) ? passed.filter((name) => typeof name === 'string') : []
}

function nameOf({ id, metadata }: Event): string {
  return `${metadata.source ?? ''} ${id}`
}
