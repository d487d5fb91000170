/** What was thrown, as an error: code that is not ours may throw anything. */
import { describeValue } from '../config/redact.ts'
import { HandlerError } from '../contract/errors.ts'

/** The value itself if it is an error; else an error whose `cause` it is. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const message = `Something was thrown that is not an error: ${describeValue(thrown)}`
  return new HandlerError(message, { cause: thrown })
}
