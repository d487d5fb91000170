/** Validates a payload by a Standard Schema. */
import { isDeepStrictEqual } from 'node:util'
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
  // The caller gets its error below; should the result itself reject, nothing waits for it any more.
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

/** Payloads that are remembered: an event comes back at once, or is not worth remembering. */
const MAX_KNOWN = 256

/**
 * What one bus has published through schemas that answer with a promise. Such a schema looks something up; what comes back
 * to the same bus as it was accepted is not looked up again.
 */
export class KnownPayloads {
  readonly #byId = new Map<string, unknown>()

  /** The payload was accepted as it is. */
  add(id: string, payload: unknown): void {
    if (this.#byId.size >= MAX_KNOWN) {
      for (const oldest of this.#byId.keys()) {
        this.#byId.delete(oldest)
        break
      }
    }
    this.#byId.set(id, payload)
  }

  /** Whether this very payload was accepted: an id may be used twice, and a codec may change what it carries. */
  has(id: string, payload: unknown): boolean {
    return this.#byId.has(id) && isDeepStrictEqual(this.#byId.get(id), payload)
  }
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
