/** The event: an immutable fact with an id, a type, a payload and metadata. */
import { v7 as uuidv7 } from 'uuid'
import { ConfigError } from './errors.ts'
import { assertType } from './type.ts'

/** What is known about an event besides its payload. Attributes that we do not know travel untouched. */
export interface EventMetadata {
  /** When the event was made: wall clock, milliseconds since 1970-01-01 UTC. */
  readonly timestamp: number
  /** Who made the event. With the id it identifies the event: consumers treat equals as duplicates. */
  readonly source?: string
  /** Ties together events that belong to one request or process. */
  readonly correlationId?: string
  /** Further attributes, for instance `traceparent` of W3C Trace Context. JSON values. */
  readonly [attribute: string]: unknown
}

/** An immutable fact. The envelope is frozen; each handler gets a payload of its own. */
export interface Event<P = unknown, T extends string = string> {
  /** Unique for its source; a resent event keeps it. No spaces, 1 to 128 characters. */
  readonly id: string
  /** Tokens separated by dots, for example `order.created`. See `assertType`. */
  readonly type: T
  readonly payload: P
  readonly metadata: EventMetadata
}

/** What {@link createEvent} lets the caller set; everything else is filled in. */
export interface EventInit {
  /** @default a UUID version 7, which sorts by time */
  readonly id?: string
  /** @default now */
  readonly timestamp?: number
  readonly source?: string
  readonly correlationId?: string
  readonly [attribute: string]: unknown
}

const ID = /^[\x21-\x7e]{1,128}$/

/** Whether `id` can be that of an event: 1 to 128 printable ASCII characters without a space. */
export function isId(id: unknown): id is string {
  return typeof id === 'string' && ID.test(id)
}

/** The milliseconds of the years 0000 to 9999, which is what RFC 3339 can write. */
const MIN_MS = -62_167_219_200_000
const MAX_MS = 253_402_300_799_999

/** Whether the value is a moment that RFC 3339 can write. */
export function isTimestamp(value: unknown): value is number {
  return typeof value === 'number' && value >= MIN_MS && value <= MAX_MS
}

/** Whether an attribute of this name could change a prototype when somebody merges metadata. */
export function isHostileName(name: string): boolean {
  return name === '__proto__' || name === 'constructor' || name === 'prototype'
}

/** Throws a `ConfigError` unless every reader can decode these metadata, whatever carries them. */
export function assertMetadata(metadata: Readonly<Record<string, unknown>>): void {
  const { timestamp } = metadata
  if (!isTimestamp(timestamp)) {
    const form = 'to be milliseconds since 1970, of the years 0000 to 9999'
    throw ConfigError.expected('metadata.timestamp', form, timestamp)
  }
  for (const name of Object.keys(metadata)) {
    const value = metadata[name]
    if ((name === 'source' || name === 'correlationId') && value !== undefined) {
      if (typeof value !== 'string') {
        throw ConfigError.expected(`metadata.${name}`, 'to be a string', value)
      }
    } else if (isHostileName(name)) {
      throw ConfigError.expected('metadata', 'to have no attribute of such a name', name)
    }
  }
}

/** Throws a `ConfigError` unless `id` is 1 to 128 printable ASCII characters without a space. */
export function assertId(id: unknown): asserts id is string {
  if (isId(id)) return
  throw ConfigError.expected('id', 'to be 1 to 128 printable ASCII characters without a space', id)
}

/**
 * Makes an event.
 *
 * @example
 * ```ts
 * import { createEvent } from '@bus/core'
 *
 * const event = createEvent('order.created', { total: 12.5 }, { source: 'shop' })
 * console.log(event.type, event.payload.total)
 * ```
 *
 * @throws `ConfigError` when the type does not follow the grammar or the id contains a space.
 */
export function createEvent<P, T extends string>(
  type: T,
  payload: P,
  init?: EventInit,
): Event<P, T> {
  assertType(type)
  if (init === undefined) {
    const metadata = Object.freeze({ timestamp: Date.now() })
    return Object.freeze({ id: uuidv7(), type, payload, metadata })
  }
  const { id = uuidv7(), timestamp = Date.now(), ...rest } = init
  assertId(id)
  const metadata = Object.freeze({ timestamp, ...rest })
  assertMetadata(metadata)
  return Object.freeze({ id, type, payload, metadata })
}

/** @throws `ConfigError` unless the value has the parts of an event, each in its accepted form. */
export function assertEvent(value: unknown): asserts value is Event {
  const event = value as Partial<Event> | null | undefined
  if (typeof event !== 'object' || event === null) {
    throw ConfigError.expected('event', 'to be an event type or an event', value)
  }
  assertType(event.type)
  assertId(event.id)
  const { metadata } = event as { readonly metadata?: unknown }
  if (typeof metadata !== 'object' || metadata === null) {
    throw ConfigError.expected('metadata', 'to be an object', metadata)
  }
  assertMetadata(metadata as Record<string, unknown>)
}

/**
 * The event as a transport may take it. One that {@link createEvent} or a bus has made is frozen, and is returned as it is.
 * One that is not was made by hand, for instance by a middleware that spreads another: it is checked and copied, so that
 * what is written later is what was published.
 *
 * @example
 * ```ts
 * import { createEvent } from '@bus/core'
 * import { checkedEvent } from '@bus/core/kit'
 *
 * const event = checkedEvent({ ...createEvent('order.created', 1), type: 'order.paid' })
 * console.log(Object.isFrozen(event))
 * ```
 *
 * @throws `ConfigError` when its type, id or timestamp is none.
 */
export function checkedEvent(event: Event): Event {
  if (Object.isFrozen(event)) return event
  assertEvent(event)
  return Object.freeze({ ...event, metadata: Object.freeze({ ...event.metadata }) })
}

/** A copy of the event with another source. The event itself is not changed. */
export function withSource<P, T extends string>(event: Event<P, T>, source: string): Event<P, T> {
  return withMetadata(event, { source })
}

/** A copy of the event with another correlation id. The event itself is not changed. */
export function withCorrelationId<P, T extends string>(
  event: Event<P, T>,
  correlationId: string,
): Event<P, T> {
  return withMetadata(event, { correlationId })
}

function withMetadata<P, T extends string>(
  event: Event<P, T>,
  change: Partial<EventMetadata>,
): Event<P, T> {
  const metadata = Object.freeze({ ...event.metadata, ...change })
  assertMetadata(metadata)
  return Object.freeze({ ...event, metadata })
}
