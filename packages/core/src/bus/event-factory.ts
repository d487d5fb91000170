/** From the arguments of `publish` and `emit` to the event. */
import {
  assertEvent,
  assertId,
  type Event,
  type EventInit,
  type EventMetadata,
} from '../contract/event.ts'
import { EventIds } from '../contract/event-ids.ts'
import { assertType } from '../contract/type.ts'

/** Makes the events of one bus, with its source and its ids. */
export class EventFactory {
  readonly #source: string | undefined
  readonly #createId: (() => string) | undefined
  readonly #ids = new EventIds()
  /** The last type that was found to be good: streams repeat themselves. */
  #type: string | undefined

  constructor(source: string | undefined, createId: (() => string) | undefined) {
    this.#source = source
    this.#createId = createId
  }

  /** @throws `ConfigError` for a bad type, id or event. */
  make(typeOrEvent: unknown, payload: unknown, init: EventInit | undefined): Event {
    if (typeof typeOrEvent === 'string') return this.#create(typeOrEvent, payload, init)
    assertEvent(typeOrEvent)
    return typeOrEvent
  }

  #create(type: string, payload: unknown, init: EventInit | undefined): Event {
    if (type !== this.#type) {
      assertType(type)
      this.#type = type
    }
    const timestamp = init?.timestamp ?? Date.now()
    const id = init?.id ?? this.#createId?.()
    if (id !== undefined) assertId(id)
    const metadata = metadataOf(timestamp, this.#source, init)
    return Object.freeze({ id: id ?? this.#ids.next(Date.now()), type, payload, metadata })
  }
}

/** One literal with one spread: to leave a member out again costs ten times as much, so that is only done where needed. */
function metadataOf(
  timestamp: number,
  source: string | undefined,
  init: EventInit | undefined,
): EventMetadata {
  if (init === undefined) {
    return Object.freeze(source === undefined ? { timestamp } : { timestamp, source })
  }
  if (!('timestamp' in init) && !('id' in init)) {
    if (source === undefined || init.source !== undefined) {
      return Object.freeze({ timestamp, ...init })
    }
    if (!('source' in init)) return Object.freeze({ timestamp, source, ...init })
  }
  const { id: _id, timestamp: _timestamp, source: own = source, ...rest } = init
  return Object.freeze(
    own === undefined ? { timestamp, ...rest } : { timestamp, source: own, ...rest },
  )
}
