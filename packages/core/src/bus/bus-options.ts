/** What `createBus` accepts. */

import { check } from '../config/checks.ts'
import { checkOptions, type Shape } from '../config/options.ts'
import { systemClock, type Clock, type Random } from '../contract/clock.ts'
import type { Transport } from '../contract/transport.ts'
import { telemetryOf, type Telemetry, type TelemetryOptions } from '../observe/telemetry.ts'
import { InMemoryDeadLetterQueue, type DeadLetterQueue } from '../resilience/dead-letters.ts'
import type { Middleware } from './middleware.ts'
import type { OnError } from './notices.ts'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** Where payloads are validated. */
export type ValidateAt = 'publish' | 'both' | 'none'

/** The options of `createBus`. */
export interface BusOptions {
  /** Carries the events. It belongs to this bus from now on: the bus connects, drains and closes it. */
  readonly transport: Transport
  /**
   * One schema per event type, of any validator that speaks Standard Schema. Gives the types of publish and
   * handlers. Types that it does not name are not validated. @default none
   */
  readonly events?: EventSchemas | undefined
  /**
   * - `both`: the payload is checked and sent as given, and each receiver gets what its own schema makes of it, so that a
   *   handler sees the type that it is declared with. What a schema does not accept on arrival becomes a dead letter with
   *   reason `undecodable`.
   * - `publish`: what the schema makes of the payload is sent, and receivers trust it. The types of handlers hold only where that
   *   survives the codec: a `Date` is a string after JSON.
   * - `none`: the schemas only give types.
   * @default 'both'
   */
  readonly validate?: ValidateAt | undefined
  /** Wraps publishing and handling; the first is the outermost. @default none */
  readonly middleware?: readonly Middleware[] | undefined
  /** Where undeliverable events go; `false` for nowhere. The bus does not close it. @default a new `InMemoryDeadLetterQueue` */
  readonly deadLetters?: DeadLetterQueue | false | undefined
  /** `metadata.source` of the events that this bus makes. @default none */
  readonly source?: string | undefined
  /** Makes the ids of events. @default UUID version 7 */
  readonly createId?: (() => string) | undefined
  /** Gets every `error` notice, also when there is no listener. What it throws is uncaught. @default none */
  readonly onError?: OnError | undefined
  /** Under which names it publishes what it does on `node:diagnostics_channel`; its transport has an option of its own. @default prefix 'bus' */
  readonly telemetry?: TelemetryOptions | undefined
  /**
   * Milliseconds after which a publish that a handler waits for is reported as `blocked-handler`, at the latest after twice as
   * many. It goes on waiting. @default 1_000
   */
  readonly blockedHandlerMs?: number | undefined
  /** @default the machine's clock */
  readonly clock?: Clock | undefined
  /** Source of the jitter of retries. @default `Math.random` */
  readonly random?: Random | undefined
}

/** The options as the bus uses them. */
export interface ResolvedBusOptions {
  readonly transport: Transport
  readonly schemas: ReadonlyMap<string, EventSchemas[string]> | undefined
  readonly validate: ValidateAt
  readonly middleware: readonly Middleware[]
  readonly deadLetters: DeadLetterQueue | undefined
  readonly source: string | undefined
  readonly createId: (() => string) | undefined
  readonly onError: OnError | undefined
  readonly telemetry: Telemetry
  readonly blockedHandlerMs: number
  readonly clock: Clock
  readonly random: Random
}

const SHAPE: Shape<BusOptions> = Object.freeze({
  transport: check.required(check.withMethods('connect', 'publish', 'subscribe', 'drain', 'close')),
  events: check.recordOf(check.where('to be a Standard Schema', isSchema)),
  validate: check.oneOf(['publish', 'both', 'none']),
  middleware: check.arrayOf(check.where('to be a middleware', isMiddleware)),
  deadLetters: check.falseOr(check.withMethods('add', 'list', 'close')),
  source: check.string(),
  createId: check.func,
  onError: check.func,
  telemetry: (_path, value) => void telemetryOf(value as TelemetryOptions),
  blockedHandlerMs: check.durationMs({ min: 1 }),
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
  random: check.func,
})

const BLOCKED_HANDLER_MS = 1_000

/** @throws `ConfigError` naming the option. */
export function resolveBusOptions(options: BusOptions): ResolvedBusOptions {
  checkOptions('', options, SHAPE)
  const { transport, validate = 'both', middleware = [], deadLetters, events } = options
  const telemetry = telemetryOf(options.telemetry)
  return Object.freeze({
    transport,
    // A map, so that a type called `constructor` finds no schema by accident.
    schemas: events && validate !== 'none' ? new Map(Object.entries(events)) : undefined,
    validate,
    middleware: Object.freeze([...middleware]),
    deadLetters:
      deadLetters === false
        ? undefined
        : (deadLetters ?? new InMemoryDeadLetterQueue({ telemetry: { prefix: telemetry.prefix } })),
    source: options.source,
    createId: options.createId,
    onError: options.onError,
    telemetry,
    blockedHandlerMs: options.blockedHandlerMs ?? BLOCKED_HANDLER_MS,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  })
}

/** Some schemas are functions. */
function isSchema(value: unknown): boolean {
  const standard = (value as Partial<EventSchemas[string]> | null | undefined)?.['~standard']
  return typeof standard?.validate === 'function'
}

function isMiddleware(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { publish, deliver } = value as { publish?: unknown; deliver?: unknown }
  return [publish, deliver].every((layer) => layer === undefined || typeof layer === 'function')
}

/** One schema per event type. */
export type EventSchemas = Readonly<Record<string, StandardSchemaV1>>

/** The event map of what may be published: what the schemas accept. */
export type InputOf<S extends EventSchemas> = {
  [T in keyof S & string]: StandardSchemaV1.InferInput<S[T]>
}

/** The event map of what handlers get: what the schemas give. */
export type OutputOf<S extends EventSchemas> = {
  [T in keyof S & string]: StandardSchemaV1.InferOutput<S[T]>
}
