/** The types of a bus whose payloads are validated by any library that speaks Standard Schema. */
import type { StandardSchemaV1 } from '@standard-schema/spec'

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
