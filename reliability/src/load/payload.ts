/** The payload of a published event: says which it is, and shows whether it arrived unharmed. */

/** What every event of a run carries. */
export interface Payload {
  /** The publisher, from 0. */
  readonly p: number
  /** Counts the events of the publisher from 0. */
  readonly n: number
  /** Follows from the seed and both numbers. */
  readonly check: number
  /** Of a length that follows from `check`, so that frames have all sizes. */
  readonly fill: string
}

const FILL = '0123456789abcdef'.repeat(16)

/** The payload of event `n` of publisher `p` in the run with this seed. */
export function payloadOf(seed: number, p: number, n: number): Payload {
  const check = checkOf(seed, p, n)
  return { p, n, check, fill: FILL.slice(0, check % FILL.length) }
}

/** Whether a payload is one of this run, unharmed. */
export function isIntact(seed: number, payload: unknown): payload is Payload {
  if (typeof payload !== 'object' || payload === null) return false
  const { p, n, check, fill } = payload as Partial<Payload>
  if (typeof p !== 'number' || typeof n !== 'number') return false
  return check === checkOf(seed, p, n) && fill === FILL.slice(0, check % FILL.length)
}

function checkOf(seed: number, p: number, n: number): number {
  let mixed = Math.imul(seed ^ Math.imul(p + 1, 0x9e3779b1), 0x85ebca6b) ^ n
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
