/** Payload validation at the edges of the bus, with any validator that speaks Standard Schema. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ValidationError } from '../contract/errors.ts'

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

/** The validated payload, or a promise of it where the schema is asynchronous. @throws `ValidationError` */
export function validatePayload(schema: StandardSchemaV1, type: string, payload: unknown): unknown {
  const result = schema['~standard'].validate(payload)
  if (result instanceof Promise) return result.then((settled) => valueOf(settled, type))
  return valueOf(result, type)
}

function valueOf(result: StandardSchemaV1.Result<unknown>, type: string): unknown {
  if (result.issues === undefined) return result.value
  throw new ValidationError(
    type,
    result.issues.map(({ message, path = [] }) => ({ message, path: path.map(keyOf).join('.') })),
  )
}

function keyOf(segment: PropertyKey | StandardSchemaV1.PathSegment): string {
  return String(typeof segment === 'object' ? segment.key : segment)
}
