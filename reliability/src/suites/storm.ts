/** Storm: every link is cut at once while publishers go on, and everybody comes back to what it missed. */
import { randomBytes } from 'node:crypto'
import type { Bus } from '@bus/core'
import { seededRandom } from '@bus/testing/chaos'
import { tokenOf } from '../hub/tokens.ts'
import type { Cut, Watch } from '../hub/watched-hub.ts'
import type { WatchedHubDuties } from '../hub/watched-hub-process.ts'
import { newBus } from '../load/client.ts'
import { Source } from '../load/source.ts'
import { untilState } from '../measure/until.ts'
import { Child } from '../process/child.ts'
import { maxOpenFiles } from '../process/open-files.ts'
import { atLeast, atMost, exactly, type Bar } from '../report/bar.ts'
import { Progress } from '../report/progress.ts'
import { Crowds } from '../storm/crowds.ts'
import type { Verdict } from '../storm/tally.ts'
import { typeOf, type Traffic } from '../storm/traffic.ts'
import { publishFigures } from './bars.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

const PUBLISHERS = 2
/** Processes of clients. */
const PROCESSES = 2
/** Files that each process has open besides the links. */
const OTHER_FILES = 256
/** Events in a second: so that publishers go on for as long as clients come back, and take no more of the machine. */
const EVENTS_PER_SECOND = 15_000
/** The share of the events that is published before the links are cut. */
const LEAD = 0.02

interface Size {
  readonly clients: number
  readonly publishes: number
  /** Milliseconds over which clients spread their return. */
  readonly spreadMs: number
  /**
   * What the hub may have to accept within a second. More than the spread makes of it on average: the processes of the clients
   * are busy with their lost links at first, and catch up with what was due meanwhile.
   */
  readonly maxAccepts: number
  /** Milliseconds that the event loop of the hub may be late, p99. A small run is one among many tests. */
  readonly maxLateMs: number
}

const SIZES: Readonly<Record<SuiteOptions['size'], Size>> = {
  full: {
    clients: 5_000,
    publishes: 102_000,
    spreadMs: 8_000,
    maxAccepts: 1_500,
    maxLateMs: 200,
  },
  quick: { clients: 500, publishes: 10_200, spreadMs: 1_000, maxAccepts: 1_000, maxLateMs: 200 },
  smoke: { clients: 50, publishes: 1_020, spreadMs: 200, maxAccepts: 1_000, maxLateMs: 5_000 },
}

/** What one storm has shown. */
interface Outcome {
  readonly source: Source
  readonly cut: Cut
  readonly watch: Watch
  readonly verdict: Verdict
  readonly sessions: number
  readonly resumed: number
  readonly unauthorized: number
  /** Publishes that were settled when everybody was back. */
  readonly settledMeanwhile: number
  readonly seconds: number
}

async function run({ seed, size }: SuiteOptions): Promise<SuiteReport> {
  const { clients } = SIZES[size]
  const files = atLeast('open files allowed', maxOpenFiles(), clients + OTHER_FILES)
  if (!files.ok) {
    process.stderr.write(`storm: raise the limit of open files: ulimit -n ${files.want.slice(2)}\n`)
    return { figures: { clients, openFiles: files.got }, bars: [files] }
  }
  const { bars, ...report } = await rage(seed, SIZES[size])
  return { ...report, bars: [files, ...bars] }
}

async function rage(seed: number, size: Size): Promise<SuiteReport> {
  const secret = randomBytes(16).toString('hex')
  const events = size.publishes / PUBLISHERS
  const traffic: Traffic = {
    clients: size.clients,
    publishers: PUBLISHERS,
    events,
    sharedEvery: Math.ceil(events / 10),
  }
  await using hub = await Child.start<WatchedHubDuties>(
    new URL('../hub/watched-hub-process.js', import.meta.url),
  )
  const limits = { connectionsPerIp: Infinity }
  const url = `ws://127.0.0.1:${await hub.ask('listen', { settings: { secret, limits } })}`
  await using crowds = await Crowds.start(PROCESSES)
  const startedAt = performance.now()
  await crowds.join({ url, secret, seed, traffic, spreadMs: size.spreadMs })
  const buses = newBuses(url, secret, seed)
  await using source = new Source({
    buses,
    seed,
    events,
    typeOf: (p, n) => typeOf(traffic, p, n),
    mustWait: newPace(),
  })
  await Promise.all(buses.map((bus) => bus.connect()))
  const seen = await cutAndWait(hub, crowds, source, size)
  const { sessions, resumed, unauthorized } = await hub.ask('stats')
  const outcome: Outcome = {
    ...seen,
    source,
    verdict: await crowds.verdict(),
    sessions,
    resumed,
    unauthorized,
    seconds: Math.round(performance.now() - startedAt) / 1_000,
  }
  await crowds.leave()
  return reportOf(size, outcome)
}

/** Begins with the first question. */
function newPace(): (settled: number) => boolean {
  let startedAt: number | undefined
  return (settled) => {
    startedAt ??= performance.now()
    return settled > ((performance.now() - startedAt) / 1_000) * EVENTS_PER_SECOND
  }
}

function newBuses(url: string, secret: string, seed: number): Bus[] {
  return Array.from({ length: PUBLISHERS }, (_, p) => {
    const id = `publisher-${p}`
    const headers = { authorization: `Bearer ${tokenOf(secret, id)}` }
    return newBus(url, id, seededRandom(seed + p), { headers })
  })
}

/** Publishes, cuts every link, and waits until everybody has everything, or nothing comes any more. */
async function cutAndWait(
  hub: Child<WatchedHubDuties>,
  crowds: Crowds,
  source: Source,
  { clients, publishes }: Size,
): Promise<Pick<Outcome, 'cut' | 'watch' | 'settledMeanwhile'>> {
  const { ledger } = source
  let back = 0
  const describe = (): string => `${ledger.settled} of ${publishes}, ${back} back`
  using progress = new Progress('storm', describe)
  await hub.ask('watch')
  const publishing = source.run()
  await source.whenSettled(publishes * LEAD)
  const cut = await hub.ask('cut')
  const settledBefore = ledger.settled
  const look = async () => {
    const state = await crowds.state()
    back = state.returns
    return { ...state, settled: ledger.settled }
  }
  await untilState(look, ({ returns }) => returns >= clients)
  const settledMeanwhile = ledger.settled - settledBefore
  await publishing
  await untilState(look, ({ over }) => over === clients)
  const watch = await hub.ask('unwatch')
  if (watch === undefined) throw new Error('Nobody watched the hub')
  return { cut, watch, settledMeanwhile }
}

function reportOf(size: Size, outcome: Outcome): SuiteReport {
  const { source, cut, watch, verdict } = outcome
  const { samples, ...seen } = watch
  const clients = size.clients + PUBLISHERS
  const back = samples.find(({ resumed }) => resumed >= clients)
  const resumeMs = back === undefined ? Infinity : Math.round(back.ms - cut.ms)
  const { ledger } = source
  return {
    figures: {
      clients: size.clients,
      ...publishFigures(ledger),
      settledBeforeAllWereBack: outcome.settledMeanwhile,
      linksCut: cut.links,
      resumed: outcome.resumed,
      resumeMs,
      ...seen,
      ...verdict,
      seconds: outcome.seconds,
    },
    plot: {
      title: `${size.clients.toLocaleString('en-US')} links are cut at once`,
      unit: 'clients',
      lines: [
        { name: 'resumed', points: samples.map(({ ms, resumed }) => [ms / 1_000, resumed]) },
        {
          name: 'connected',
          points: samples.map(({ ms, connections }) => [ms / 1_000, connections]),
        },
      ],
    },
    bars: [
      ...deliveryBars(ledger.count('confirmed'), ledger.settledAgain, size.publishes, verdict),
      exactly('links cut', cut.links, clients),
      exactly('sessions, all resumed', outcome.sessions, clients),
      atLeast('resumed', outcome.resumed, clients),
      atLeast('authenticated again', watch.authenticated, clients),
      exactly('refused for who they are', outcome.unauthorized, 0),
      atMost('ms until all were back', resumeMs, 15_000),
      atMost('accepted within a second', watch.peakAcceptsPerSecond, size.maxAccepts),
      atMost('event loop of the hub, p99 in ms', Math.round(watch.loopP99Ms), size.maxLateMs),
    ],
  }
}

function deliveryBars(
  confirmed: number,
  settledAgain: number,
  publishes: number,
  { lost, duplicates, disordered, impossible, gaps }: Verdict,
): Bar[] {
  return [
    exactly('confirmed', confirmed, publishes),
    exactly('settled more than once', settledAgain, 0),
    exactly('lost', lost, 0),
    exactly('duplicates at the handlers', duplicates, 0),
    exactly('out of order', disordered, 0),
    exactly('made up or changed', impossible, 0),
    exactly('false gaps', gaps, 0),
  ]
}

/** The hub in its process, clients in two, publishers in that of the run. */
export const storm: Suite = {
  name: 'storm',
  about: 'all links are cut at once: everybody is back in seconds, and nothing is lost',
  run,
}
