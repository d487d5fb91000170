/** Which failures of a publish another transport may make good. */
import { outcomeOf } from '@bus/core'

/** What is wrong with the event or the call is wrong with every transport. */
const FAULTS_OF_THE_CALL: ReadonlySet<unknown> = new Set([
  'config',
  'validation',
  'serialization',
  'too-large',
  'unsupported',
  'aborted',
  'rejected',
])

/** Whether the failure says something about the transport, and not about the event. */
export function isFaultOfTransport(error: unknown): boolean {
  return !FAULTS_OF_THE_CALL.has((error as { code?: unknown } | null | undefined)?.code)
}

/** Whether another transport may have the event: it never left, or it may arrive twice. */
export function mayMove(error: unknown, idempotent: boolean): boolean {
  return isFaultOfTransport(error) && (idempotent || outcomeOf(error) === 'not-sent')
}
