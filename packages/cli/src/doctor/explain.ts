/** Explaining errors: what happened, what to do, and where to read on. */
import { ConnectionError, HandshakeError, BusError, errorData, type BusErrorCode } from '@bus/core'
import { check, checkOptions, printable } from '@bus/core/kit'
import type { Advice } from './advice.ts'
import { CLOSE_ADVICE } from './close-advice.ts'
import { ERROR_ADVICE } from './error-advice.ts'
import { HANDSHAKE_ADVICE } from './handshake-advice.ts'
import { systemAdvice } from './system-advice.ts'

/** An error in words. */
export interface Explanation {
  /** What happened, as a sentence. */
  readonly message: string
  /** What to do about it. */
  readonly suggestion: string
  /** Where to read on. */
  readonly docsUrl: string
}

/** Where the documents are. */
export interface ExplainOptions {
  /** The address of `docs/errors.md`, which `docsUrl` begins with. @default 'docs/errors.md' */
  readonly docs?: string
}

/** A finding: the advice, and the section of the document that holds it. */
interface Found extends Advice {
  readonly section: string
}

/** How far causes are followed, should they form a circle. */
const MAX_DEPTH = 8

/** Codes that say where something failed; why is for the cause to say. */
const OPEN_CODES: ReadonlySet<BusErrorCode> = new Set<BusErrorCode>([
  'attempts-exhausted',
  'bootstrap',
  'circuit-open',
  'closed',
  'connection',
  'disconnected',
  'no-connections',
  'protocol',
  'recording',
])

/**
 * Says what an error means and what to do about it: errors of the bus, of the system, of TLS, of `ws`, answers to
 * handshakes, and notices of a close. Anything else is repeated, with the secrets of URLs hidden.
 *
 * @example
 * ```ts
 * import { explain } from '@bus/cli'
 * import { type Transport } from '@bus/core'
 *
 * export async function connect(transport: Transport): Promise<void> {
 *   try {
 *     await transport.connect()
 *   } catch (error) {
 *     const { message, suggestion, docsUrl } = explain(error)
 *     console.error(`${message} ${suggestion} See ${docsUrl}`)
 *     throw error
 *   }
 * }
 * ```
 */
export function explain(error: unknown, options: ExplainOptions = {}): Explanation {
  checkOptions<ExplainOptions>('', options, { docs: check.string({ nonEmpty: true }) })
  const { docs = 'docs/errors.md' } = options
  const { message, suggestion, section } = find(error, 0) ?? unknownError(error)
  return Object.freeze({ message, suggestion, docsUrl: `${docs}#${section}` })
}

function find(error: unknown, depth: number): Found | undefined {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return undefined
  if (error instanceof BusError) return findOfBus(error, depth)
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown }
  return (
    (typeof code === 'string' ? findSystem(code) : undefined) ??
    (typeof code === 'number' ? findClose(code) : undefined) ??
    (error instanceof AggregateError ? findFirst(error.errors, depth) : undefined) ??
    find(cause, depth + 1)
  )
}

function findOfBus(error: BusError, depth: number): Found | undefined {
  const own = { ...ERROR_ADVICE[error.code], section: 'classes-and-codes' }
  if (error instanceof HandshakeError) return findStatus(error.status) ?? own
  if (!OPEN_CODES.has(error.code)) return own
  const closing = error instanceof ConnectionError ? error.closeCode : undefined
  return (
    find(error.cause, depth + 1) ?? (closing === undefined ? undefined : findClose(closing)) ?? own
  )
}

/** Several addresses were tried, or several transports: the first that says something. */
function findFirst(errors: readonly unknown[], depth: number): Found | undefined {
  for (const error of errors) {
    const found = find(error, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function findSystem(code: string): Found | undefined {
  const found = systemAdvice(code)
  return found === undefined ? undefined : { ...found, section: 'errors-of-the-system' }
}

function findClose(code: number): Found | undefined {
  const found = CLOSE_ADVICE.get(code)
  return found === undefined ? undefined : { ...found, section: 'after-a-close' }
}

function findStatus(status: number): Found | undefined {
  const found = HANDSHAKE_ADVICE.get(status) ?? HANDSHAKE_ADVICE.get(status >= 500 ? 500 : NaN)
  return found === undefined ? undefined : { ...found, section: 'refused-handshakes' }
}

function unknownError(error: unknown): Found {
  const { message } = errorData(error)
  return {
    message: message === '' ? 'An error without a message.' : printable(message),
    suggestion: 'It is none of the errors known here: look at its `cause` and its stack.',
    section: 'errors',
  }
}
