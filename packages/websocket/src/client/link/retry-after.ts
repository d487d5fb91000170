/** `Retry-After`: how long a server asks us to stay away. */

/** The longest wait that a server can ask for, in milliseconds. */
export const MAX_RETRY_AFTER_MS = 60_000

/** HTTP dates are written in English and always in GMT (RFC 9110, 5.6.7); other dates are nobody's promise. */
const HTTP_DATE = /^[A-Z][a-z]+, .+ GMT$|^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}$/

/**
 * Milliseconds until the moment that the header names, at most {@link MAX_RETRY_AFTER_MS}; `undefined` without a
 * readable header.
 *
 * @param headers - with names in lower case, as Node gives them
 * @param nowWallMs - wall clock, milliseconds since 1970
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string | undefined>>,
  nowWallMs: number,
): number | undefined {
  const value = headers['retry-after']?.trim() ?? ''
  if (/^\d+$/.test(value)) return clamp(Number(value) * 1_000)
  if (!HTTP_DATE.test(value)) return undefined
  // The oldest of the three forms leaves out the zone.
  const at = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`)
  return Number.isNaN(at) ? undefined : clamp(at - nowWallMs)
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS)
}
