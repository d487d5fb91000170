/** The error for a frame whose parts are not of the accepted form. */
import { describeValue } from '../config/redact.ts'
import { DecodeError } from '../contract/errors.ts'

/** "Expected `event_type` …, got `5` (number)", the value shortened and secrets hidden. */
export function expectedWire(member: string, form: string, value: unknown): DecodeError {
  return new DecodeError(`Expected \`${member}\` ${form}, got ${describeValue(value, member)}`)
}
