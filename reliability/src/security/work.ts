/** Work: text that makes a careless parser, matcher or merge work for seconds costs no more than its length. */
import { HUBS } from '../inputs/hubs.ts'
import { frame, OPCODE, text } from '../raw/frame.ts'
import { handshake, hello } from '../raw/handshake.ts'
import { RawPeer } from '../raw/raw-peer.ts'
import { atMost, exactly } from '../report/bar.ts'
import type { Scene } from './scene.ts'

/** Milliseconds of its processor time that any of them may cost in one go. */
const MAX_BLOCK_MS = 100

const many = (part: string, count: number): string => part.repeat(count)

/** A client that has read up to it answers. */
const FENCE = frame({ opcode: OPCODE.ping, payload: 'fence' })

/** What a header may hold. */
const HEADERS = [
  `Authorization: Bearer${many(' ', 7_000)}!`,
  `Authorization: Bearer ${many('a ', 3_500)}`,
  `Authorization: ${many('Bearer ', 1_000)}`,
  `Origin: ${many('https://', 800)}`,
  `Sec-WebSocket-Protocol: ${many('a,', 3_500)}a`,
  `Sec-WebSocket-Extensions: ${many('a; b="\\"', 800)}`,
]

const TARGETS = [
  `/?${many('a&', 3_500)}`,
  `/?${many('tok', 2_300)}`,
  `/?${many('%61', 2_300)}`,
  `/${many('../', 2_300)}`,
]

const LINES = [
  `sub 1 ${many('*.', 500_000)}* alo`,
  `sub 1 ${many('a', 1_000_000)} alo`,
  `sub 1 ${many('a.', 500_000)}> alo`,
  `pub 1 ${many('a.', 500_000)} i {}`,
  `pub 1 a ${many('i', 1_000_000)} {}`,
  `pub ${many('9', 1_000_000)} a i {}`,
  `ack ${many('0', 1_000_000)}`,
  many('a', 1_000_000),
  many(' ', 1_000_000),
  many('\n', 1_000_000),
  `auth {"token":"${many('\\u0041', 170_000)}"}`,
  `auth ${many('[', 1_000_000)}`,
  `auth {${many('"a":{', 200_000)}`,
  `bye ${many('{"a":', 200_000)}`,
]

const POLLUTION = [
  '{"v":1,"subs":[],"__proto__":{"polluted":1}}',
  '{"v":1,"subs":[],"constructor":{"prototype":{"polluted":1}}}',
  '{"v":1,"subs":[{"id":1,"pattern":"__proto__","mode":"alo","__proto__":{"polluted":1}}]}',
  '{"v":1,"subs":[],"window":{"events":1,"bytes":1,"__proto__":{"polluted":1}}}',
  '{"v":1,"subs":[],"sid":"__proto__","epoch":"constructor"}',
  '{"__proto__":{"v":1,"subs":[]}}',
]

const PLAIN = [
  '{"id":"i","event_type":"__proto__","payload":{"__proto__":{"polluted":1}},"metadata":{"timestamp":1}}',
  '{"id":"i","event_type":"a","payload":1,"metadata":{"timestamp":1,"__proto__":{"polluted":1}}}',
  '{"id":"i","event_type":"a","payload":1,"metadata":{"constructor":{"prototype":{"polluted":1}}}}',
  '{"__proto__":{"id":"i","event_type":"a","payload":1}}',
]

/** Until the hub has read all of it. */
async function tryOn(port: number, first: string, then?: readonly string[]): Promise<void> {
  using peer = await RawPeer.dial(port)
  peer.write(first)
  await peer.until((entry) => entry.startsWith('HTTP'))
  if (then === undefined) return
  for (const [i, line] of then.entries()) {
    const from = peer.transcript.length
    peer.write(text(line))
    peer.write(FENCE)
    const answer = i < then.length - 1 ? 'welcome' : 'pong'
    await peer.until((entry) => entry.startsWith(answer), from)
  }
}

/** Each on a hub that asks for credentials, and on one that does not. */
export const work: Scene = async ({ hubs, say }) => {
  const { guarded = {} } = HUBS
  const ports = [
    await hubs.open('work', { allowAnonymous: true }),
    await hubs.open('guarded work', guarded),
  ]
  await hubs.forget()
  let tried = 0
  for (const port of ports) {
    for (const line of HEADERS) await tryOn(port, handshake({ lines: [line] }))
    for (const target of TARGETS) await tryOn(port, handshake({ target }))
    tried += HEADERS.length + TARGETS.length
  }
  const [open = 0] = ports
  for (const line of LINES) await tryOn(open, handshake(), [hello(), line])
  for (const json of POLLUTION) await tryOn(open, handshake(), [`hello ${json}`])
  for (const json of PLAIN) await tryOn(open, handshake({ busV1: false }), [json])
  tried += LINES.length + POLLUTION.length + PLAIN.length
  say(`${tried} texts that make work`)
  const { loop, polluted } = await hubs.look()
  return {
    figures: { tried, loop, polluted },
    bars: [
      atMost('work: ms of the longest block', loop.longestOwnBlockMs, MAX_BLOCK_MS),
      exactly('work: members that every object has got', polluted, 0),
    ],
  }
}
