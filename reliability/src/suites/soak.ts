/** Soak: a day of faults in a minute and a half, under load, and what it leaves in the heap. */
import type { Bus } from '@bus/core'
import { seededRandom } from '@bus/testing/chaos'
import type { WatchedHubDuties } from '../hub/watched-hub-process.ts'
import { World } from '../load/world.ts'
import { Child } from '../process/child.ts'
import { atLeast, atMost, exactly, type Bar } from '../report/bar.ts'
import { HeapLooks } from '../soak/heap-looks.ts'
import type { Line } from '../trouble/line.ts'
import { Lines } from '../trouble/lines.ts'
import { Minutes } from '../trouble/minutes.ts'
import { commonBars, gapCount, publishFigures, total } from './bars.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

const PUBLISHERS = 3
const SUBSCRIBERS = 3
/** Simulated time runs a thousand times as fast. */
const MINUTE_MS = 60
const DAY_MINUTES = 1_440
/** Each publisher publishes once in a simulated second. */
const EVENTS_PER_MINUTE = 60
/**
 * A heartbeat is not a thousand times as fast: 10 ms are what a process waits for its turn, so that a verdict after
 * them would say nothing of the link.
 */
const HEARTBEAT = { intervalMs: 250, timeoutMs: 250 }
const SILENCE_MS = HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs + 250
/** What is bounded has to be full before growth is a leak: the ids that a client remembers, the hub's log. */
const WARM_UP = 1 / 3
/** In a whole day; a shorter run has fewer. */
const LOOKS = 36
const MIN_LOOKS = 4
const MAX_GROWTH_BYTES = 1_000_000

interface Size {
  readonly minutes: number
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number }
  readonly silenceMs: number
}

const SIZES: Readonly<Record<SuiteOptions['size'], Size>> = {
  full: { minutes: DAY_MINUTES, heartbeat: HEARTBEAT, silenceMs: SILENCE_MS },
  quick: { minutes: DAY_MINUTES / 10, heartbeat: HEARTBEAT, silenceMs: SILENCE_MS },
  // One among many tests, where a process may wait for its turn for longer than a heartbeat allows.
  smoke: { minutes: 20, heartbeat: { intervalMs: 5_000, timeoutMs: 5_000 }, silenceMs: 300 },
}

/** Verdicts of heartbeats. */
interface Verdicts {
  /** On links that were silent. */
  right: number
  /** On links that were not. */
  wrong: number
  /** Why clients ended for good. None should. */
  readonly ends: string[]
}

async function run({ seed, size }: SuiteOptions): Promise<SuiteReport> {
  const { minutes, heartbeat, silenceMs } = SIZES[size]
  await using hub = await Child.start<WatchedHubDuties>(
    new URL('../hub/watched-hub-process.js', import.meta.url),
    { canCollect: true },
  )
  const settings = { heartbeatMs: heartbeat.intervalMs, log: { maxEvents: 20_000 } }
  const port = await hub.ask('listen', { settings })
  await using lines = await Lines.start(port, seed, [
    ...Array.from({ length: PUBLISHERS }, () => 'upstream' as const),
    ...Array.from({ length: SUBSCRIBERS }, () => 'downstream' as const),
  ])
  const faults = new Minutes({
    lines: lines.all,
    random: seededRandom(seed),
    planned: minutes,
    minuteMs: MINUTE_MS,
    silenceMs,
  })
  let startedAt = Infinity
  const events = minutes * EVENTS_PER_MINUTE
  const isAhead = (settled: number): boolean =>
    settled / PUBLISHERS > ((performance.now() - startedAt) / MINUTE_MS) * EVENTS_PER_MINUTE
  await using world: World = new World({
    name: 'soak',
    describe: () => `${faults.done} of ${minutes} minutes with a fault`,
    seed,
    publishers: PUBLISHERS,
    events,
    onSettled: () => {},
    mustWait: () => heaps.isWaiting || isAhead(world.ledger.settled),
    transport: { heartbeat },
  })
  const days = minutes / DAY_MINUTES
  const heaps: HeapLooks = new HeapLooks({
    count: Math.max(MIN_LOOKS, Math.round(days * LOOKS)),
    days,
    dayMs: DAY_MINUTES * MINUTE_MS,
    isIdle: () => world.isIdle,
    hub: () => hub.ask('takeStock'),
  })
  const verdicts = await join(world, lines, `ws://127.0.0.1:${port}`, faults)
  startedAt = performance.now()
  faults.start()
  const looked = heaps.run()
  await world.run()
  faults.stop()
  await looked
  return reportOf(SIZES[size], world, faults, verdicts, heaps)
}

/** Everybody behind a line of its own, but for one witness whose link nobody touches. */
async function join(
  world: World,
  lines: Lines,
  direct: string,
  faults: Minutes,
): Promise<Verdicts> {
  const verdicts: Verdicts = { right: 0, wrong: 0, ends: [] }
  for (let i = 0; i < PUBLISHERS; i++) world.addPublisher(lines.url(i))
  for (let i = 0; i < SUBSCRIBERS; i++) {
    await world.addSubscriber(lines.url(PUBLISHERS + i), ['load.>'])
  }
  await world.addSubscriber(direct, ['load.>'])
  for (const [i, bus] of [...world.publisherBuses, ...world.subscriberBuses].entries()) {
    watch(bus, lines.all[i], faults, verdicts)
  }
  return verdicts
}

/** @param line - `undefined`: whatever ends this link is wrong */
function watch(bus: Bus, line: Line | undefined, faults: Minutes, verdicts: Verdicts): void {
  bus.on('status', ({ status }) => {
    // What ends a client before its run is over is the first thing to know.
    if (status.state === 'closed' && status.cause !== undefined)
      verdicts.ends.push(String(status.cause))
  })
  bus.on('heartbeat-timeout', () => {
    if (line !== undefined && faults.wasSilent(line, HEARTBEAT.timeoutMs)) verdicts.right++
    else verdicts.wrong++
  })
  // The hub gives verdicts too.
  if (line === undefined)
    bus.on('close', ({ initiatedBy }) => (verdicts.wrong += initiatedBy === 'remote' ? 1 : 0))
}

function reportOf(
  { minutes, heartbeat, silenceMs }: Size,
  world: World,
  faults: Minutes,
  verdicts: Verdicts,
  heaps: HeapLooks,
): SuiteReport {
  const { ledger, seconds } = world
  const accounts = world.accounts()
  const slopes = { client: heaps.growth('client', WARM_UP), hub: heaps.growth('hub', WARM_UP) }
  const days = minutes / DAY_MINUTES
  const some = Math.floor(faults.made.silence / 4)
  const isFound = silenceMs > heartbeat.intervalMs + heartbeat.timeoutMs
  return {
    figures: {
      simulatedHours: minutes / 60,
      ...publishFigures(ledger),
      faults: faults.made,
      verdicts,
      heapBytesPerDay: slopes,
      subscribers: accounts,
      seconds,
    },
    bars: [
      ...commonBars(ledger, accounts),
      exactly('lost', total(accounts, 'lost'), 0),
      exactly('false gaps', gapCount(accounts), 0),
      atLeast('faults', faults.done, minutes),
      // A line that breaks for another reason ends its silence early.
      atLeast('silences that heartbeats found', verdicts.right, isFound ? some : 0),
      exactly('clients that ended', verdicts.ends.length, 0),
      exactly('false heartbeat verdicts', verdicts.wrong, 0),
      // A shorter run ends before everything that is bounded is full.
      ...(days < 1 ? [] : slopeBars(slopes)),
    ],
    plot: {
      title: `A day of faults in ${Math.round(seconds)} seconds`,
      unit: 'MB of live heap',
      lines: (['client', 'hub'] as const).map((side) => ({
        name: side,
        points: heaps.looks.map((look) => [
          (look.day * DAY_MINUTES * MINUTE_MS) / 1_000,
          look[side] / 1_000_000,
        ]),
      })),
    },
  }
}

function slopeBars({ client, hub }: { readonly client: number; readonly hub: number }): Bar[] {
  return [
    atMost('bytes more in the clients per day', client, MAX_GROWTH_BYTES),
    atMost('bytes more in the hub per day', hub, MAX_GROWTH_BYTES),
  ]
}

/** Clients and their lines in the process of the run, the hub in its own. */
export const soak: Suite = {
  name: 'soak',
  about:
    'a day of faults, one in each minute, a thousand times as fast: nothing lost, no heap that grows',
  run,
}
