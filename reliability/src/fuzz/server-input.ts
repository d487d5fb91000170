/** What a hostile server sends: each input follows from the seed, the wire and its index alone. */
import { frame, OPCODE } from '../raw/frame.ts'
import { choicesOf, type Choice } from './choice.ts'
import { hubMessage } from './hub-lines.ts'
import { plainEvent } from './json-grammar.ts'
import { mutate } from './mutate.ts'

/** Which session it is for. */
export type ServerWire = 'plain' | 'bus'

/** One input. */
export interface ServerInput {
  readonly kind: 'message' | 'frame'
  readonly bytes: Buffer
  /** Where it is cut for the second time that it is sent. */
  readonly cut: number
  /** The link may wait for more of it. */
  readonly mayBeOpen: boolean
}

function message(choice: Choice, wire: ServerWire, index: number): Buffer {
  const bytes = Buffer.from(wire === 'plain' ? plainEvent(choice) : hubMessage(choice, index))
  return frame({ payload: choice.chance(0.02) ? mutate(bytes, choice) : bytes, masked: false })
}

function rawFrame(choice: Choice): Buffer {
  return frame({
    opcode: choice.chance(0.9)
      ? choice.of([OPCODE.ping, OPCODE.pong, OPCODE.text, OPCODE.binary, OPCODE.continuation])
      : choice.below(16),
    payload: Buffer.from(choice.some(0, 20, () => choice.below(256))),
    fin: choice.chance(0.9),
    rsv: choice.chance(0.95) ? 0 : choice.below(8),
    masked: choice.chance(0.05),
    ...(choice.chance(0.97) ? {} : { length: choice.below(200), lengthBytes: 8 as const }),
  })
}

/** The input with this index. */
export function serverInput(seed: number, wire: ServerWire, index: number): ServerInput {
  const choice = choicesOf(seed ^ (wire === 'plain' ? 0x51ed : 0xb05), index)
  const kind = choice.chance(0.97) ? 'message' : 'frame'
  const good = kind === 'message' ? message(choice, wire, index) : rawFrame(choice)
  const isDamaged = choice.chance(0.01)
  const bytes = isDamaged ? mutate(good, choice) : good
  return { kind, bytes, cut: choice.below(bytes.length), mayBeOpen: isDamaged || kind === 'frame' }
}
