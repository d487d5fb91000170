/** Gaps: the hub holds nobody back, so slow subscribers lose events, and are told of exactly those. */
import { seededRandom, type NetworkConditions } from '@bus/testing/chaos'
import { HubChild } from '../hub/hub-child.ts'
import { slowly } from '../load/subscriber.ts'
import { World } from '../load/world.ts'
import { atLeast, exactly } from '../report/bar.ts'
import { Disturber } from '../trouble/disturber.ts'
import { Lines } from '../trouble/lines.ts'
import { commonBars, publishFigures } from './bars.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

const PUBLISHERS = 4
/** Much less than publishers have under way, so that every pause of a reader costs it something. */
const LOG_EVENTS = 2_000
/** What a reader may have under way: the sockets must not swallow what it is too slow for. */
const WINDOW_EVENTS = 1_000

/** Slower than the publishers, by turns much and a little. */
const CONDITIONS: readonly [NetworkConditions, ...NetworkConditions[]] = [
  { bytesPerSecond: 500_000 },
  { bytesPerSecond: 2_000_000, delayMs: 5 },
]

const SIZES: Readonly<Record<SuiteOptions['size'], { publishes: number; disconnects: number }>> = {
  full: { publishes: 200_000, disconnects: 50 },
  quick: { publishes: 40_000, disconnects: 10 },
  smoke: { publishes: 8_000, disconnects: 2 },
}

/** Publishers fill the log a few times over and let the readers see it, so that there are many gaps and not one. */
const MAX_AHEAD = 1.5 * LOG_EVENTS

function isFarAhead({ ledger, records }: World): boolean {
  return records.some(({ handled, gapSize }) => ledger.settled - handled - gapSize > MAX_AHEAD)
}

async function run({ seed, size }: SuiteOptions): Promise<SuiteReport> {
  const { publishes, disconnects } = SIZES[size]
  await using hub = await HubChild.start({
    holdMs: 0,
    limits: { window: { events: WINDOW_EVENTS } },
    log: { maxEvents: LOG_EVENTS },
  })
  await using lines = await Lines.start(hub.port, seed, ['downstream', 'downstream'])
  const random = seededRandom(seed)
  const disturber = new Disturber(lines.all, random, disconnects, publishes, CONDITIONS)
  for (const { network } of lines.all) network.setConditions(CONDITIONS[0])
  await using world: World = new World({
    name: 'gaps',
    describe: () => `${world.records.map(({ gapSize }) => gapSize).join(' and ')} in gaps`,
    seed,
    publishers: PUBLISHERS,
    events: publishes / PUBLISHERS,
    onSettled: (settled) => disturber.at(settled),
    mustWait: () => disturber.isBehind || isFarAhead(world),
  })
  for (let i = 0; i < PUBLISHERS; i++) world.addPublisher(hub.url)
  await world.addSubscriber(lines.url(0), ['load.>'])
  await world.addSubscriber(lines.url(1), ['load.>'], slowly(1))
  await world.run()
  const subscribers = world.accounts()
  const { ledger, seconds } = world
  return {
    figures: { ...publishFigures(ledger), tears: lines.tears, subscribers, seconds },
    bars: [
      // A gap may be told while events from before it still wait for their handler, so where it was told says
      // nothing here; its size does.
      ...commonBars(ledger, subscribers).filter(({ name }) => name !== 'lost in silence'),
      ...subscribers.flatMap(({ lost, gapSize }, i) => [
        atLeast(`subscriber ${i}: lost`, lost, 1),
        exactly(`subscriber ${i}: told in gaps`, gapSize, lost),
      ]),
    ],
  }
}

/** `holdMs: 0`, a small log, and two subscribers that cannot keep up. */
export const gaps: Suite = {
  name: 'gaps',
  about:
    'nobody is held back for slow readers: what they lose is what their gaps say, to the event',
  run,
}
