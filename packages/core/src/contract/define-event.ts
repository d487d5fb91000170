/** Typed definitions of events: one place that knows a type's name, its payload and who makes it. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { check } from '../config/checks.ts'
import { checkOptions, type Shape } from '../config/options.ts'
import { ConfigError } from './errors.ts'
import { createEvent, type Event, type EventInit } from './event.ts'
import { isSchema, validate, validateEventually } from './schema.ts'
import { assertType } from './type.ts'

/**
 * A type of events, with the payload `In` that its events carry and the payload `Out` that its schema makes of it.
 * Without a schema both are the same, and nothing is checked but the type.
 */
export interface EventDefinition<In, T extends string = string, Out = In> {
  readonly type: T
  /**
   * Makes an event. Its payload is checked and then carried as given: what a schema makes of it (defaults, dates) is
   * made by {@link EventDefinition.parse} where it is received, so that it survives a wire of JSON.
   *
   * @throws `ValidationError` with the schema's issues; `ConfigError` for a schema that answers with a promise
   */
  create(payload: In, init?: EventInit): Event<In, T>
  /** The same for any schema, also one that answers with a promise. */
  createAsync(payload: In, init?: EventInit): Promise<Event<In, T>>
  /** Whether an event is of this type. Only the type is compared; {@link EventDefinition.parse} checks the payload. */
  is(event: Event): event is Event<In, T>
  /**
   * The event with the payload that the schema makes of it; the same event where nothing changes.
   *
   * @throws `ValidationError` with the schema's issues; `ConfigError` for an event of another type, or a schema that
   *   answers with a promise
   */
  parse(event: Event): Event<Out, T>
  /** The same for any schema, also one that answers with a promise. */
  parseAsync(event: Event): Promise<Event<Out, T>>
}

/** What a definition knows besides the type. */
export interface DefineEventOptions<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** Source of the events, where their maker names no other. @default none */
  readonly source?: string
  /** Checks the payload: any validator that speaks Standard Schema, such as zod, valibot or arktype. @default none */
  readonly schema?: S
}

const SHAPE: Shape<DefineEventOptions> = Object.freeze({
  source: check.string(),
  schema: check.where('to be a Standard Schema, version 1', isSchema),
})

/**
 * Defines a type of events.
 *
 * @example
 * ```ts
 * import { defineEvent } from '@bus/core'
 *
 * const orderCreated = defineEvent<{ total: number }, 'order.created'>('order.created', { source: 'shop' })
 * const event = orderCreated.create({ total: 12.5 })
 * console.log(orderCreated.is(event), event.metadata.source)
 * ```
 *
 * @throws `ConfigError` for a type outside the grammar or an option that is not of its form
 */
export function defineEvent<S extends StandardSchemaV1, T extends string>(
  type: T,
  options: DefineEventOptions<S> & { readonly schema: S },
): EventDefinition<StandardSchemaV1.InferInput<S>, T, StandardSchemaV1.InferOutput<S>>
export function defineEvent<P, T extends string = string>(
  type: T,
  options?: { readonly source?: string },
): EventDefinition<P, T>
export function defineEvent<T extends string>(
  type: T,
  options: DefineEventOptions = {},
): EventDefinition<unknown, T> {
  assertType(type)
  checkOptions('', options, SHAPE)
  const { source, schema } = options
  const make = (payload: unknown, init: EventInit | undefined): Event<unknown, T> =>
    createEvent(type, payload, source === undefined ? init : { source, ...init })

  return Object.freeze({
    type,
    create: (payload: unknown, init?: EventInit) => {
      if (schema !== undefined) validate(schema, type, payload)
      return make(payload, init)
    },
    createAsync: async (payload: unknown, init?: EventInit) => {
      if (schema !== undefined) await validateEventually(schema, type, payload)
      return make(payload, init)
    },
    is: (event: Event): event is Event<unknown, T> => event.type === type,
    parse: (event: Event) => {
      assertOf(type, event)
      return schema === undefined
        ? event
        : withPayload(event, validate(schema, type, event.payload))
    },
    parseAsync: async (event: Event) => {
      assertOf(type, event)
      if (schema === undefined) return event
      return withPayload(event, await validateEventually(schema, type, event.payload))
    },
  })
}

function assertOf<T extends string>(type: T, event: Event): asserts event is Event<unknown, T> {
  if (event.type !== type) throw ConfigError.expected('event.type', `to be \`${type}\``, event.type)
}

function withPayload<T extends string>(
  event: Event<unknown, T>,
  payload: unknown,
): Event<unknown, T> {
  return payload === event.payload ? event : Object.freeze({ ...event, payload })
}
