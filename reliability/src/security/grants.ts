/** Grants: nobody subscribes to, publishes, or gets anything that is not within one of its grants. */
import { Choice } from '../fuzz/choice.ts'
import { ruleToken } from '../hub/watched-orders.ts'
import { text } from '../raw/frame.ts'
import type { RawPeer } from '../raw/raw-peer.ts'
import { atLeast, exactly } from '../report/bar.ts'
import { enter } from './enter.ts'
import { isGranted, isMatch, WORLD } from './reference.ts'
import type { Scene } from './scene.ts'

/** Patterns that each principal asks for, and types that it publishes. */
const ASKED = 40
const BODY = '{"payload":1,"metadata":{"timestamp":1}}'

const PRINCIPALS = { full: 300, quick: 250, smoke: 25 } as const

function pattern(choice: Choice): string {
  const tokens = choice.some(1, 3, () => choice.of(['a', 'b', '*']))
  if (choice.chance(0.3)) tokens[tokens.length - 1] = '>'
  return tokens.join('.')
}

/** Somebody with grants, and what it tried. */
interface Somebody {
  readonly peer: RawPeer
  readonly subscribe: readonly string[]
  readonly publish: readonly string[]
  readonly asked: readonly string[]
  readonly published: readonly string[]
}

async function admit(port: number, index: number, choice: Choice): Promise<Somebody> {
  const subscribe = choice.some(0, 3, () => pattern(choice))
  const publish = choice.some(0, 3, () => pattern(choice))
  const asked = choice.some(ASKED, ASKED, () => pattern(choice))
  const published = choice.some(ASKED, ASKED, () => WORLD[choice.below(WORLD.length)] ?? 'a')
  const token = ruleToken({ id: `somebody-${index}`, grants: { subscribe, publish } })
  const peer = await enter(port, { token })
  const subs = asked.map((one, i) => `sub ${i} ${one} amo`)
  const pubs = published.map((type, i) => `pub ${i + 1} ${type} i-${i} ${BODY}`)
  peer.write(text([...subs, ...pubs].join('\n')))
  // An ok that would say no more than the last refusal does not follow it at once.
  const isLast = (entry: string): boolean =>
    entry === `ok ${ASKED}` || entry.startsWith(`no ${ASKED} `)
  await peer.until(isLast)
  return { peer, subscribe, publish, asked, published }
}

/** Verdicts of the hub that are not those of the reference. */
function wrongVerdicts({ peer, subscribe, publish, asked, published }: Somebody): string[] {
  const said = new Set(peer.transcript.map((entry) => entry.split(' ', 3).join(' ')))
  const wrong: string[] = []
  for (const [i, one] of asked.entries()) {
    const may = isGranted(subscribe, one)
    const was = peer.transcript.some((entry) => entry.startsWith(`subok ${i} `))
    const refused = said.has(`subno ${i} auth`)
    if (was !== may || refused === may) wrong.push(`sub ${one} with ${subscribe.join(' ')}`)
  }
  for (const [i, type] of published.entries()) {
    const may = publish.some((grant) => isMatch(grant, type))
    if (said.has(`no ${i + 1} auth`) === may) wrong.push(`pub ${type} with ${publish.join(' ')}`)
  }
  return wrong
}

/** Types that it got, from everybody. */
function received({ peer }: Somebody): string[] {
  return peer.transcript.flatMap((entry) =>
    /^[er]v /.test(entry) ? [entry.split(' ', 3)[2] ?? ''] : [],
  )
}

/** Against a reference that tries every type. */
export const grants: Scene = async ({ hubs, seed, size, say }) => {
  const port = await hubs.open('grants', { tokens: {} })
  const choice = new Choice(seed)
  const all: Somebody[] = []
  for (let i = 0; i < PRINCIPALS[size]; i++) {
    all.push(await admit(port, i, choice))
    say(`${all.length} principals with grants`)
  }
  const wrong = all.flatMap(wrongVerdicts)
  // Somebody who may do everything says every type once, so that each reader gets all that it ever will.
  const teller = await enter(port, { token: ruleToken({ id: 'teller' }) })
  teller.write(text(WORLD.map((type, i) => `pub ${i + 1} ${type} t-${i} ${BODY}`).join('\n')))
  await teller.until((entry) => entry === `ok ${WORLD.length}`)
  let missing = 0
  for (const somebody of all) {
    const granted = somebody.asked.filter((one) => isGranted(somebody.subscribe, one))
    const wanted = WORLD.filter((type) => granted.some((one) => isMatch(one, type))).length
    const own = (): number =>
      somebody.peer.transcript.filter((entry) => / t-\d+ /.test(entry)).length
    await somebody.peer.until(() => own() >= wanted, 0, 5_000)
    if (own() !== wanted) missing++
  }
  const outside = all.flatMap((somebody) =>
    received(somebody).filter((type) => !somebody.subscribe.some((grant) => isMatch(grant, type))),
  )
  for (const { peer } of all) peer[Symbol.dispose]()
  teller[Symbol.dispose]()
  const pairs = all.length * ASKED
  return {
    figures: { principals: all.length, patterns: pairs, types: pairs, wrong: wrong.slice(0, 20) },
    bars: [
      atLeast('grants: patterns compared with the reference', pairs, PRINCIPALS[size] * ASKED),
      exactly('grants: other verdicts than the reference', wrong.length, 0),
      exactly('grants: events outside of the grants', outside.length, 0),
      exactly('grants: readers that got other events than they asked for and may', missing, 0),
    ],
  }
}
