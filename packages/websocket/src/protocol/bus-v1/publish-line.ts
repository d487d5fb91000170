/** The lines `pub` and `rep`: read as positions in the bytes, because the hub copies them on unparsed. */
import type { LineFault } from './codes.ts'
import { endOfId, spaceAfter } from './fields.ts'
import { NOT_A_NUMBER, readNumber } from './numbers.ts'

/** Stands for `n` where the line has a hyphen: at most once, never acknowledged. */
export const UNNUMBERED = 0

/** Bytes of `pub ` and `rep `. */
const VERB_BYTES = 4
const HYPHEN = 45
const OPEN = 123
const CLOSE = 125

/** Where the fields of a line are. One is filled again and again, so that a line costs no object. */
export interface PublishLine {
  /** The number, or {@link UNNUMBERED}. */
  n: number
  typeFrom: number
  /** Also the end of the header's second field: a space follows. */
  typeTo: number
  idTo: number
}

/** An empty line to read into. */
export function publishLine(): PublishLine {
  return { n: UNNUMBERED, typeFrom: 0, typeTo: 0, idTo: 0 }
}

/**
 * Reads a line that begins with `pub ` or `rep ` at `from` and ends before `to`. The type is not looked at: the
 * caller knows most types already.
 *
 * @returns what is wrong with it; `undefined` when it was read into `line`
 */
export function readPublish(
  bytes: Uint8Array,
  from: number,
  to: number,
  line: PublishLine,
): LineFault | undefined {
  const numberAt = from + VERB_BYTES
  const numberTo = spaceAfter(bytes, numberAt, to)
  const n = numberTo === -1 ? NOT_A_NUMBER : readSequence(bytes, numberAt, numberTo)
  if (n === NOT_A_NUMBER) return 'n'
  const typeTo = spaceAfter(bytes, numberTo + 1, to)
  if (typeTo === -1) return 'type'
  const idTo = endOfId(bytes, typeTo + 1, to)
  if (idTo === -1) return 'id'
  // The body is opaque, but what is clearly no JSON object would only hurt every subscriber.
  if (bytes[idTo + 1] !== OPEN || bytes[to - 1] !== CLOSE || to - idTo < 3) return 'body'
  line.n = n
  line.typeFrom = numberTo + 1
  line.typeTo = typeTo
  line.idTo = idTo
  return undefined
}

function readSequence(bytes: Uint8Array, from: number, to: number): number {
  if (to - from === 1 && bytes[from] === HYPHEN) return UNNUMBERED
  const n = readNumber(bytes, from, to)
  return n === 0 ? NOT_A_NUMBER : n
}
