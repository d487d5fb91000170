/** Mutations: small damage to bytes that were good. */
import type { Choice } from './choice.ts'

const SPECIAL: readonly [number, ...number[]] = [
  0, 9, 10, 13, 32, 34, 45, 46, 48, 92, 123, 125, 127, 128, 255,
]

/** A damaged copy. */
export function mutate(bytes: Buffer, choice: Choice): Buffer {
  if (bytes.length === 0) return Buffer.of(choice.of(SPECIAL))
  const at = choice.below(bytes.length)
  switch (choice.below(7)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return Buffer.concat([bytes, bytes.subarray(at)])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    case 3:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.of(choice.of(SPECIAL)),
        bytes.subarray(at),
      ])
    case 4:
      return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)])
    case 5: {
      const copy = Buffer.from(bytes)
      copy[at] = choice.of(SPECIAL)
      return copy
    }
    default: {
      const copy = Buffer.from(bytes)
      copy[at] = (copy[at] ?? 0) ^ (1 << choice.below(8))
      return copy
    }
  }
}
