/** What a close frame may carry. */
import { ConfigError } from '@bus/core'

const MAX_REASON_BYTES = 123

/** Throws unless the code and reason may stand in a close frame. */
export function assertCloseFrame(code: number, reason: string): void {
  if (!isCloseCode(code)) {
    throw ConfigError.expected('code', 'to be a close code that may be sent', code)
  }
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES) {
    throw ConfigError.expected('reason', `to be at most ${MAX_REASON_BYTES} bytes`, reason)
  }
}

/** Whether a close frame may carry this code: 1004 to 1006 and 1015 are reserved: they describe a close that had no such frame. */
export function isCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false
  if (code >= 3000 && code <= 4999) return true
  return code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006)
}
