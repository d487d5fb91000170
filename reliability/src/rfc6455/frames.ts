/** The frames of a row: sent by either side, with any mistake that the row wants, and read from either. */
import type { Random } from '@bus/core'
import { frame, readFrame, type HeardFrame } from '../raw/frame.ts'

/** A frame to be sent; what is not given is as the standard wants it. */
export interface SentFrame {
  readonly opcode: number
  readonly payload: Buffer
  /** @default true */
  readonly fin?: boolean
  /** The three reserved bits, as a number from 0 to 7. @default 0 */
  readonly rsv?: number
  /** Masked where it must not be, or not masked where it must. @default false */
  readonly isWronglyMasked?: boolean
  /** The length that the header claims. @default that of the payload */
  readonly length?: bigint
}

/** The bytes of a frame. @param isClient - who sends it; clients mask, with a key from `random` */
export function frameBytes(sent: SentFrame, isClient: boolean, random: Random): Buffer {
  const { isWronglyMasked = false, ...parts } = sent
  const mask = Buffer.from(Array.from({ length: 4 }, () => Math.floor(random() * 256)))
  return frame({ ...parts, masked: isClient !== isWronglyMasked, mask })
}

/** Reads what an end sends behind the handshake. */
export class FrameReader {
  #left: Buffer = Buffer.alloc(0)

  /** @returns the frames that are complete now */
  take(bytes: Buffer): HeardFrame[] {
    const all = Buffer.concat([this.#left, bytes])
    const frames: HeardFrame[] = []
    let at = 0
    for (let found = readFrame(all, at); found !== undefined; found = readFrame(all, at)) {
      frames.push(found.frame)
      at = found.to
    }
    this.#left = all.subarray(at)
    return frames
  }
}
