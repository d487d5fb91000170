/** Floods: more subscriptions, patterns, events, messages and control frames than anybody may send, and what they cost. */
import { frame, OPCODE, text } from '../raw/frame.ts'
import { Probe } from '../raw/probe.ts'
import type { RawPeer } from '../raw/raw-peer.ts'
import { atMost, exactly } from '../report/bar.ts'
import { endOf, enter } from './enter.ts'
import type { Scene } from './scene.ts'

const SUBS = { full: 1_000_000, quick: 100_000, smoke: 4_000 } as const
/** Lines of one message. */
const LINES = 2_000
const MAX_GROWTH_BYTES = 64 * 1024 * 1024
const BODY = '{"payload":1,"metadata":{"timestamp":1}}'

const count = (peer: RawPeer, start: string): number =>
  peer.transcript.filter((entry) => entry.startsWith(start)).length

/** `a` and `*` in every order that has at most four `*`, so that all of them match one type. */
function explosion(): string[] {
  const patterns: string[] = []
  for (let bits = 0; patterns.length < 128; bits++) {
    const tokens = Array.from({ length: 16 }, (_, i) => ((bits >> i) & 1 ? '*' : 'a'))
    if (tokens.filter((token) => token === '*').length <= 4) patterns.push(tokens.join('.'))
  }
  return patterns
}

/** Until it is told so, or is gone. */
async function flood(port: number, bytes: Buffer, times: number): Promise<string | undefined> {
  using peer = await enter(port)
  for (let i = 0; i < times && !peer.isOver; i++) {
    peer.write(bytes)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await peer.until(() => peer.isOver)
  return endOf(peer)
}

/** A bomb of subscriptions: they are refused one by one, and cost nothing that lasts. */
async function bomb(port: number, subs: number): Promise<RawPeer> {
  const peer = await enter(port)
  for (let from = 0; from < subs; from += LINES) {
    const lines = Array.from({ length: LINES }, (_, i) => `sub ${from + i} x.${from + i} amo`)
    peer.write(text(lines.join('\n')))
    const last = from + LINES - 1
    await peer.until(
      (entry) => entry.endsWith(`o ${last} limit`) || entry.startsWith(`subok ${last} `),
    )
    if (from > 0) peer.transcript.length = 0
  }
  return peer
}

/** Each against a hub with its defaults, apart from what is limited. */
export const floods: Scene = async ({ hubs, size, say }) => {
  const port = await hubs.open('floods', { allowAnonymous: true })
  await using probe = await Probe.start({ url: `ws://127.0.0.1:${port}` })
  await probe.serve()
  const before = await hubs.look()
  say('a bomb of subscriptions')
  using bomber = await bomb(port, SUBS[size])
  const { busV1 } = await hubs.stats('floods')
  const after = await hubs.look()
  using wide = await enter(port)
  const patterns = explosion()
  wide.write(text(patterns.map((pattern, i) => `sub ${i} ${pattern} amo`).join('\n')))
  await wide.until((entry) => entry.startsWith('subok 127 '))
  wide.write(text('unsub 0\nsub 128 *.*.*.*.* amo'))
  await wide.until((entry) => entry.startsWith('subno 128'))
  const type = Array.from({ length: 16 }, () => 'a').join('.')
  const pubs = Array.from({ length: LINES }, (_, i) => `pub ${i + 1} ${type} i ${BODY}`)
  wide.write(text(pubs.join('\n')))
  await wide.until((entry) => entry === `ok ${LINES}`)
  say('floods of frames')
  const paced = await hubs.open('paced', {
    allowAnonymous: true,
    limits: { rate: { messages: 100, bytes: 1_000_000 } },
  })
  const one = text('unsub 1')
  const ends = {
    messages: await flood(paced, Buffer.concat(Array.from({ length: 300 }, () => one)), 1),
    bytes: await flood(paced, text(`pub - a i {"payload":"${'x'.repeat(800_000)}"}`), 3),
    pongs: await flood(
      port,
      Buffer.concat(Array.from({ length: 500 }, () => frame({ opcode: OPCODE.pong }))),
      1,
    ),
    large: await flood(port, frame({ length: 1_048_577 }), 1),
  }
  await probe.serve()
  const growth = after.rssBytes - before.rssBytes
  return {
    figures: { subs: SUBS[size], growth, ends, subscriptions: busV1.subscriptions },
    bars: [
      // One of them is the probe's.
      exactly('floods: subscriptions that one connection has', busV1.subscriptions - 1, 128),
      exactly('floods: connections that were ended for asking', bomber.isOver ? 1 : 0, 0),
      atMost('floods: bytes of memory for a bomb of subscriptions', growth, MAX_GROWTH_BYTES),
      exactly('floods: patterns of 16 tokens that match one type', count(wide, 'subok'), 128),
      exactly('floods: patterns with too many stars', count(wide, 'subno 128 pattern'), 1),
      exactly('floods: messages ended with 4429', ends.messages === 'close 4429 rate' ? 1 : 0, 1),
      exactly('floods: bytes ended with 4429', ends.bytes === 'close 4429 rate' ? 1 : 0, 1),
      exactly(
        'floods: pongs ended with 4429',
        ends.pongs === 'close 4429 control frames' ? 1 : 0,
        1,
      ),
      exactly(
        'floods: a message above the limit ended with 1009',
        ends.large === 'close 1009' ? 1 : 0,
        1,
      ),
      exactly('floods: probes served', probe.served, 2),
    ],
  }
}
