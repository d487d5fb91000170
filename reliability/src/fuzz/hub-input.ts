/** The inputs of a hub: each follows from the seed and its index alone. */
import { frame, OPCODE } from '../raw/frame.ts'
import { handshake } from '../raw/handshake.ts'
import { choicesOf, type Choice } from './choice.ts'
import { clientMessage, firstLine } from './client-lines.ts'
import { plainEvent } from './json-grammar.ts'
import { mutate } from './mutate.ts'

/** What an input is, which also says on which link it goes. */
export type InputKind = 'line' | 'json' | 'frame' | 'hello' | 'request'

/** All of them. */
export const INPUT_KINDS: readonly InputKind[] = ['line', 'json', 'frame', 'hello', 'request']

/** One input. */
export interface HubInput {
  readonly kind: InputKind
  /** `bus.v1`, the plain wire, a link that has said nothing yet, or one without a handshake. */
  readonly wire: 'bus' | 'plain' | 'mute' | 'tcp'
  readonly bytes: Buffer
  /** Where it is cut for the second time that it is sent. */
  readonly cut: number
  /** The link may wait for more of it. */
  readonly mayBeOpen: boolean
}

function maskOf(choice: Choice): Buffer {
  return Buffer.from(choice.some(4, 4, () => choice.below(256)))
}

/** A text frame, whose text is damaged now and then. */
function textFrame(text: string, choice: Choice): Buffer {
  const bytes = Buffer.from(text)
  const payload = choice.chance(0.04) ? mutate(bytes, choice) : bytes
  return frame({ payload, mask: maskOf(choice) })
}

/** A frame whose header is as likely wrong as right, or good bytes that were damaged. */
function rawFrame(choice: Choice): Buffer {
  if (choice.chance(0.3)) return mutate(textFrame(clientMessage(choice), choice), choice)
  const payload = Buffer.from(choice.some(0, 20, () => choice.below(256)))
  return frame({
    opcode: choice.chance(0.9)
      ? choice.of([
          OPCODE.text,
          OPCODE.ping,
          OPCODE.pong,
          OPCODE.continuation,
          OPCODE.close,
          OPCODE.binary,
        ])
      : choice.below(16),
    payload: choice.chance(0.01) ? Buffer.alloc(choice.of([126, 65_536, 200_000]), 'x') : payload,
    fin: choice.chance(0.9),
    rsv: choice.chance(0.95) ? 0 : choice.below(8),
    masked: choice.chance(0.95),
    mask: maskOf(choice),
    ...(choice.chance(0.95) ? {} : { length: choice.below(200), lengthBytes: 8 as const }),
  })
}

function bytesOf(kind: InputKind, wire: HubInput['wire'], choice: Choice): Buffer {
  switch (kind) {
    case 'line':
      return textFrame(clientMessage(choice), choice)
    case 'json':
      return textFrame(plainEvent(choice), choice)
    case 'hello':
      return textFrame(firstLine(choice), choice)
    case 'request':
      return mutate(Buffer.from(handshake({ busV1: wire === 'bus' })), choice)
    case 'frame':
      return rawFrame(choice)
  }
}

const WIRES = Object.freeze({ line: 'bus', json: 'plain', hello: 'mute', request: 'tcp' } as const)

/** The input with this index. */
export function hubInput(seed: number, index: number): HubInput {
  const choice = choicesOf(seed, index)
  const share = choice.below(1_000)
  const kind: InputKind =
    share < 550
      ? 'line'
      : share < 900
        ? 'json'
        : share < 985
          ? 'frame'
          : share < 995
            ? 'hello'
            : 'request'
  const wire: HubInput['wire'] = kind === 'frame' ? choice.of(['bus', 'plain']) : WIRES[kind]
  const bytes = bytesOf(kind, wire, choice)
  return {
    kind,
    wire,
    bytes,
    cut: choice.below(bytes.length),
    mayBeOpen: kind !== 'line' && kind !== 'json',
  }
}
