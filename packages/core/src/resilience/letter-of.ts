/** Makes a dead letter of what was given up, without what must not be stored. */
import { v7 as uuidv7 } from 'uuid'
import { REDACTED } from '../config/redact.ts'
import type { Undeliverable } from '../contract/transport.ts'
import type { DeadLetter } from './dead-letter.ts'

/** Answers with the content to store. */
export type RedactHook = (letter: DeadLetter) => Pick<DeadLetter, 'event' | 'raw' | 'error'>

/** The payload is kept as it is, raw bytes are copied: a transport may read the next frame into the same memory. */
export function letterOf(undeliverable: Undeliverable, source: string): DeadLetter {
  const { event, raw, reason, direction, error, attempts } = undeliverable
  const code = (error as { readonly code?: unknown }).code
  return Object.freeze({
    id: uuidv7(),
    ...(event && { event }),
    ...(raw !== undefined && { raw: typeof raw === 'string' ? raw : new Uint8Array(raw) }),
    reason,
    direction,
    error: Object.freeze({
      name: error.name,
      message: error.message,
      ...(typeof code === 'string' && { code }),
    }),
    attempts,
    failedAt: Date.now(),
    source,
    parked: false,
  })
}

/** The letter with the content that the hook gives; without content where the hook throws. */
export function redactLetter(
  letter: DeadLetter,
  redact: RedactHook | undefined,
  onError: (error: unknown) => void,
): DeadLetter {
  if (redact === undefined) return letter
  const { event: _event, raw: _raw, ...bare } = letter
  try {
    const { event, raw, error } = redact(letter)
    const content = { ...(event && { event }), ...(raw !== undefined && { raw }) }
    return Object.freeze({ ...bare, ...content, error: Object.freeze({ ...error }) })
  } catch (error) {
    onError(error)
    const { name } = letter.error
    return Object.freeze({ ...bare, error: Object.freeze({ name, message: REDACTED }) })
  }
}
