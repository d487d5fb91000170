/** Chaos: everybody behind links that are reset, closed, cut in mid-frame, delayed and sliced, and nothing is missing. */
import { seededRandom } from '@bus/testing/chaos'
import { HubChild } from '../hub/hub-child.ts'
import { COMEBACK_MS } from '../load/client.ts'
import { slowly } from '../load/subscriber.ts'
import { World } from '../load/world.ts'
import { atLeast, exactly } from '../report/bar.ts'
import { Disturber } from '../trouble/disturber.ts'
import { Lines } from '../trouble/lines.ts'
import { commonBars, gapCount, named, publishFigures, total } from './bars.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

const PUBLISHERS = 4

interface Size {
  readonly publishes: number
  readonly disconnects: number
  readonly midFrame: number
}

const SIZES: Readonly<Record<SuiteOptions['size'], Size>> = {
  full: { publishes: 1_000_000, disconnects: 1_000, midFrame: 200 },
  quick: { publishes: 100_000, disconnects: 100, midFrame: 20 },
  smoke: { publishes: 8_000, disconnects: 10, midFrame: 1 },
}

/** With confirmations of subscribers publishers also send again what the hub has. */
const SIZES_BY_SUBSCRIBERS: typeof SIZES = {
  full: { publishes: 200_000, disconnects: 200, midFrame: 40 },
  quick: { publishes: 50_000, disconnects: 50, midFrame: 10 },
  smoke: { publishes: 4_000, disconnects: 5, midFrame: 0 },
}

/** A few links are gone by themselves when their trouble comes. */
const MARGIN = 1.1

async function runWith(
  confirm: 'hub' | 'subscribers',
  seed: number,
  { publishes, disconnects, midFrame }: Size,
): Promise<SuiteReport> {
  await using hub = await HubChild.start({
    confirm,
    graceMs: confirm === 'subscribers' ? COMEBACK_MS : 0,
  })
  const ways = Array.from({ length: PUBLISHERS }, () => 'upstream' as const)
  await using lines = await Lines.start(hub.port, seed, [...ways, 'downstream', 'downstream'])
  const planned = Math.ceil(disconnects * MARGIN)
  const disturber = new Disturber(lines.all, seededRandom(seed), planned, publishes)
  await using world = new World({
    name: `chaos (${confirm})`,
    describe: () => `${lines.tears.disconnects} disconnects`,
    seed,
    publishers: PUBLISHERS,
    events: publishes / PUBLISHERS,
    onSettled: (settled) => disturber.at(settled),
    mustWait: () => disturber.isBehind,
  })
  for (let i = 0; i < PUBLISHERS; i++) world.addPublisher(lines.url(i))
  // One handles at once; the other has two patterns for the same events, and events that wait.
  await world.addSubscriber(lines.url(PUBLISHERS), ['load.>'])
  await world.addSubscriber(lines.url(PUBLISHERS + 1), ['load.*', 'load.1'], slowly(64))
  await world.run()
  const { tears } = lines
  const { ledger, seconds } = world
  const subscribers = world.accounts()
  return {
    figures: { ...publishFigures(ledger), tears, holes: disturber.holes, subscribers, seconds },
    bars: [
      ...commonBars(ledger, subscribers),
      exactly('lost', total(subscribers, 'lost'), 0),
      exactly('false gaps', gapCount(subscribers), 0),
      atLeast('forced disconnects', tears.disconnects, disconnects),
      atLeast('cuts in mid-frame', tears.midFrame, midFrame),
    ],
  }
}

async function run({ seed, size }: SuiteOptions): Promise<SuiteReport> {
  const byHub = await runWith('hub', seed, SIZES[size])
  const bySubscribers = await runWith('subscribers', seed, SIZES_BY_SUBSCRIBERS[size])
  return {
    figures: { hub: byHub.figures, subscribers: bySubscribers.figures },
    bars: [...named('hub', byHub.bars), ...named('subscribers', bySubscribers.bars)],
  }
}

/** 4 publishers, 2 subscribers, each behind a chaos proxy. */
export const chaos: Suite = {
  name: 'chaos',
  about: 'forced disconnects, many in mid-frame: nothing lost, doubled, swapped, and no false gap',
  run,
}
