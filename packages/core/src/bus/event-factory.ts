/** From the arguments of `publish` and `emit` to the event. */
import { ConfigError } from '../contract/errors.ts'
import { assertId, createEvent, type Event, type EventInit } from '../contract/event.ts'
import { EventIds } from '../contract/event-ids.ts'
import { assertType } from '../contract/type.ts'

/** Makes the events of one bus, with its source and its ids. */
export class EventFactory {
  readonly #source: string | undefined
  readonly #createId: (() => string) | undefined
  readonly #ids = new EventIds()
  /** The last type that was found to be good: streams repeat themselves. */
  #type = ''

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
    if (init !== undefined || this.#createId !== undefined) {
      const id = init?.id ?? this.#createId?.() ?? this.#ids.next(Date.now())
      const { source = this.#source, ...rest } = init ?? {}
      return createEvent(
        type,
        payload,
        source === undefined ? { ...rest, id } : { ...rest, id, source },
      )
    }
    if (type !== this.#type) {
      assertType(type)
      this.#type = type
    }
    const timestamp = Date.now()
    const source = this.#source
    const metadata = source === undefined ? { timestamp } : { timestamp, source }
    const id = this.#ids.next(timestamp)
    return Object.freeze({ id, type, payload, metadata: Object.freeze(metadata) })
  }
}

function assertEvent(value: unknown): asserts value is Event {
  const event = value as Partial<Event> | null | undefined
  if (typeof event !== 'object' || event === null) {
    throw ConfigError.expected('event', 'to be an event type or an event', value)
  }
  assertType(event.type)
  assertId(event.id)
  if (typeof event.metadata?.timestamp === 'number') return
  throw ConfigError.expected(
    'event.metadata.timestamp',
    'to be a number',
    event.metadata?.timestamp,
  )
}
