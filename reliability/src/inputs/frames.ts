/** Frames against RFC 6455, and those at its edges that must pass. */
import { closing, frame, OPCODE, text } from '../raw/frame.ts'
import { BODY, frames } from './build.ts'
import type { Row } from './row.ts'

const BAD = 'close 1002'

/** A line with an event in a message of so many bytes. */
function event(bytes: number): string {
  const head = 'pub 1 a i {"payload":"'
  const tail = '","metadata":{"timestamp":1}}'
  return `${head}${'x'.repeat(bytes - head.length - tail.length)}${tail}`
}

const opcodes: Row[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) =>
  frames(`opcode ${opcode}`, frame({ opcode }), BAD),
)

const reserved: Row[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv) =>
    frames(`reserved bits ${rsv} of text`, frame({ rsv, payload: 'unsub 1' }), BAD),
  ),
  ...(['close', 'ping', 'pong'] as const).map((name) =>
    frames(`a reserved bit of a ${name}`, frame({ opcode: OPCODE[name], rsv: 4 }), BAD),
  ),
]

const masks: Row[] = (['text', 'binary', 'close', 'ping', 'pong'] as const).map((name) =>
  frames(
    `no mask on a ${name}`,
    frame({ opcode: OPCODE[name], masked: false, payload: 'aa' }),
    BAD,
  ),
)

const lengths: Row[] = [
  ...[125, 126, 127, 65_535, 65_536].map((bytes) =>
    frames(`a message of ${bytes} bytes`, text(event(bytes)), 'ok 1', { events: 1 }),
  ),
  frames('a length of 2^63', frame({ length: 1n << 63n, lengthBytes: 8 }), 'close 1009'),
  frames('a length of 2^64 − 1', frame({ length: (1n << 64n) - 1n, lengthBytes: 8 }), 'close 1009'),
  frames('a length of 2^53', frame({ length: 1n << 53n, lengthBytes: 8 }), 'close 1009'),
  frames('a length of 2^32', frame({ length: 1n << 32n, lengthBytes: 8 }), 'close 1009'),
  frames('a length of 1 MiB and 1', frame({ length: 1_048_577, lengthBytes: 8 }), 'close 1009'),
]

const control: Row[] = [
  ...(['close', 'ping', 'pong'] as const).flatMap((name) => [
    frames(`a ${name} in fragments`, frame({ opcode: OPCODE[name], fin: false }), BAD),
    frames(
      `a ${name} of 126 bytes`,
      frame({ opcode: OPCODE[name], payload: 'x'.repeat(126) }),
      BAD,
    ),
  ]),
  frames(
    'a ping of 125 bytes',
    frame({ opcode: OPCODE.ping, payload: 'x'.repeat(125) }),
    `pong ${'x'.repeat(125)}`,
  ),
  frames(
    'a ping in a message',
    [
      frame({ fin: false, payload: 'uns' }),
      frame({ opcode: OPCODE.ping, payload: 'in' }),
      frame({ opcode: OPCODE.continuation, payload: 'ub 1' }),
    ],
    'pong in',
  ),
  frames('a pong that nobody asked for', frame({ opcode: OPCODE.pong, payload: 'unasked' }), ''),
]

const fragments: Row[] = [
  frames('a continuation of nothing', frame({ opcode: OPCODE.continuation, payload: 'x' }), BAD),
  frames(
    'a continuation behind a whole message',
    [text('unsub 1'), frame({ opcode: OPCODE.continuation })],
    BAD,
  ),
  frames('a new message within one', [frame({ fin: false, payload: 'uns' }), text('unsub 1')], BAD),
  frames(
    'a binary one within one',
    [frame({ fin: false, payload: 'uns' }), frame({ opcode: OPCODE.binary })],
    BAD,
  ),
  frames(
    '1,024 fragments',
    [
      frame({ fin: false, payload: 'unsub 1' }),
      ...many(1_022),
      frame({ opcode: OPCODE.continuation }),
    ],
    '',
  ),
  frames(
    '1,025 fragments',
    [
      frame({ fin: false, payload: 'unsub 1' }),
      ...many(1_023),
      frame({ opcode: OPCODE.continuation }),
    ],
    'close 1008',
  ),
  frames(
    'fragments that are too large together',
    [
      frame({ fin: false, payload: 'x'.repeat(1_000_000) }),
      frame({ opcode: OPCODE.continuation, payload: 'x'.repeat(100_000) }),
    ],
    'close 1009',
  ),
  frames(
    'fragments with nothing in them',
    [frame({ fin: false }), frame({ opcode: OPCODE.continuation })],
    'close 4400 line empty',
  ),
]

function many(count: number): Buffer[] {
  return Array.from({ length: count }, () => frame({ opcode: OPCODE.continuation, fin: false }))
}

const close = (payload: Uint8Array | string): Buffer => frame({ opcode: OPCODE.close, payload })

const closes: Row[] = [
  ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code) =>
    frames(`close code ${code}`, close(closing(code)), BAD, { fence: 'over' }),
  ),
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 3999, 4000, 4999].map(
    (code) =>
      frames(`close code ${code}`, close(closing(code)), `close ${code}`, {
        fence: 'over',
        moved: { badFrames: 0, protocolErrors: 0 },
      }),
  ),
  frames('a close of nothing', close(''), 'close 1005', { fence: 'over' }),
  frames('a close of 1 byte', close('x'), BAD, { fence: 'over' }),
  frames(
    'a close whose reason is no UTF-8',
    close(closing(1000, Buffer.from([0xc3, 0x28]))),
    'close 1007',
    { fence: 'over' },
  ),
  // The answer to a close is the same close.
  frames(
    'a close with the longest reason',
    close(closing(1000, 'x'.repeat(123))),
    `close 1000 ${'x'.repeat(123)}`,
    { fence: 'over' },
  ),
  frames('a close with a reason that is too long', close(closing(1000, 'x'.repeat(124))), BAD),
  frames(
    'a message behind a close',
    [close(closing(1000)), text(`pub 1 a i ${BODY}`)],
    'close 1000',
    { fence: 'over' },
  ),
  frames(
    'a close in a message',
    [frame({ fin: false, payload: 'uns' }), close(closing(1000))],
    'close 1000',
    { fence: 'over' },
  ),
]

const encodings: Row[] = [
  ['an overlong slash', [0xc0, 0xaf]],
  ['half of a surrogate', [0xed, 0xa0, 0x80]],
  ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['a lone continuation byte', [0x80]],
  ['a character cut short', [0xe2, 0x82]],
  ['byte 0xff', [0xff]],
].map(([name, bytes]) =>
  frames(
    `no UTF-8: ${String(name)}`,
    frame({ payload: Buffer.concat([Buffer.from('unsub 1'), Buffer.from(bytes as number[])]) }),
    'close 1007',
  ),
)

const kinds: Row[] = [
  frames(
    'a binary message',
    frame({ opcode: OPCODE.binary, payload: 'unsub 1' }),
    'close 1003 text only',
  ),
  frames('an empty binary message', frame({ opcode: OPCODE.binary }), 'close 1003 text only'),
  frames('an empty message', text(''), 'close 4400 line empty'),
  frames(
    'a character cut by two fragments is whole',
    [
      frame({ fin: false, payload: Buffer.from('pub 1 a i {"payload":"\u00e9').subarray(0, -1) }),
      frame({
        opcode: OPCODE.continuation,
        payload: Buffer.concat([Buffer.from([0xa9]), Buffer.from('"}')]),
      }),
    ],
    'ok 1',
    // Nothing of it is for the plain wire.
    { events: 1, moved: { unbridged: 1 } },
  ),
]

/** At least 60. */
export const frameRows: readonly Row[] = [
  ...opcodes,
  ...reserved,
  ...masks,
  ...lengths,
  ...control,
  ...fragments,
  ...closes,
  ...encodings,
  ...kinds,
]
