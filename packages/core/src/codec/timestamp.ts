/** Timestamps on the wire: RFC 3339 text for epoch milliseconds, and back. */

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Longer than any sensible fraction of a second needs. */
const MAX_LENGTH = 64
/** The milliseconds of the years 0000 to 9999, which is what RFC 3339 can write. */
const MIN_MS = -62_167_219_200_000
const MAX_MS = 253_402_300_799_999

/** Whether the value is a moment that RFC 3339 can write. */
export function isTimestamp(value: unknown): value is number {
  return typeof value === 'number' && value >= MIN_MS && value <= MAX_MS
}

/** Milliseconds since 1970 as RFC 3339 text in UTC. The caller has checked them with {@link isTimestamp}. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString()
}

/** RFC 3339 text as milliseconds since 1970; `undefined` for other text and for moments that do not exist. */
export function parseTimestamp(text: string): number | undefined {
  const match = text.length > MAX_LENGTH ? null : RFC_3339.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number)
  const fraction = match[7]
  const at = new Date(0)
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  at.setUTCFullYear(year ?? NaN, (month ?? NaN) - 1, day)
  if (at.getUTCMonth() !== (month ?? NaN) - 1 || at.getUTCDate() !== day) return undefined
  // 60 is a leap second: the same moment as second 0 of the next minute.
  if (!within(hour, 23) || !within(minute, 59) || !within(second, 60)) return undefined
  at.setUTCHours(hour, minute, second, fraction === undefined ? 0 : milliseconds(fraction))
  const offset = offsetMs(match[8], Number(match[9] ?? 0), Number(match[10] ?? 0))
  if (offset === undefined) return undefined
  const ms = at.getTime() - offset
  return isTimestamp(ms) ? ms : undefined
}

function within(value: number | undefined, max: number): value is number {
  return value !== undefined && value <= max
}

/** Digits after the point, cut to milliseconds: other languages write up to nine. */
function milliseconds(fraction: string): number {
  return Number(fraction.slice(0, 3).padEnd(3, '0'))
}

function offsetMs(sign: string | undefined, hours: number, minutes: number): number | undefined {
  if (hours > 23 || minutes > 59) return undefined
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
