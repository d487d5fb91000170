/** Asks a Standard Schema about a payload. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ConfigError, ValidationError } from './errors.ts'

/** Whether the value is a Standard Schema of version 1. Some libraries' schemas are functions. */
export function isSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false
  const standard = (value as Partial<StandardSchemaV1>)['~standard'] as unknown
  if (typeof standard !== 'object' || standard === null) return false
  const { version, validate: check } = standard as Partial<Record<'version' | 'validate', unknown>>
  return version === 1 && typeof check === 'function'
}

/**
 * What the schema makes of the payload.
 *
 * @throws `ValidationError` with the issues; `ConfigError` when the schema answers with a promise
 */
export function validate(schema: StandardSchemaV1, type: string, payload: unknown): unknown {
  const answer = schema['~standard'].validate(payload)
  if (!isThenable(answer)) return valueOf(answer, type)
  // The caller is told below; the answer itself, should it be a rejection, has nobody left to go to.
  answer.then(undefined, () => undefined)
  throw new ConfigError(
    'schema',
    `The schema of \`${type}\` answers with a promise: use createAsync and parseAsync`,
  )
}

/** What the schema makes of the payload, or a promise of it where the schema answers with one. */
export function validateEventually(
  schema: StandardSchemaV1,
  type: string,
  payload: unknown,
): unknown {
  const answer = schema['~standard'].validate(payload)
  if (!isThenable(answer)) return valueOf(answer, type)
  return Promise.resolve(answer).then((result) => valueOf(result, type))
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

/** By its form, not its class: libraries bring promises of their own. */
function isThenable(value: object): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>>).then === 'function'
}
