/** The fields of a line: where they end, in its bytes. */

/** Bytes of an event's id, at most. */
const MAX_ID_BYTES = 128
const SPACE = 32

/** Where the field that begins at `from` ends: at the next space before `to`; -1 when there is none. */
export function spaceAfter(bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === SPACE) return i
  return -1
}

/** Where the id that begins at `from` ends: 1 to 128 printable ASCII characters, then a space; -1 for anything else. */
export function endOfId(bytes: Uint8Array, from: number, to: number): number {
  const last = Math.min(to, from + MAX_ID_BYTES + 1)
  for (let i = from; i < last; i++) {
    const byte = bytes[i] ?? 0
    if (byte === SPACE) return i === from ? -1 : i
    if (byte < 0x21 || byte > 0x7e) return -1
  }
  return -1
}
