/** Readers: some that are too slow and some that are frozen, beside a hundred who must not notice. */
import { seededRandom, startChaosProxy, type ChaosProxy } from '@bus/testing/chaos'
import type { WatchedHubDuties } from '../hub/watched-hub-process.ts'
import type { WatchedHubSettings } from '../hub/watched-hub.ts'
import { newBus } from '../load/client.ts'
import { untilState } from '../measure/until.ts'
import { Child } from '../process/child.ts'
import type { AudienceDuties } from '../readers/audience-process.ts'
import { FLOOD, TICK, type ReaderState } from '../readers/audience.ts'
import { Speaker } from '../readers/speaker.ts'
import { atLeast, atMost, exactly, type Bar } from '../report/bar.ts'
import { Progress } from '../report/progress.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

/** Slow ones, and as many frozen ones. */
const BAD = 5
const EVENT_BYTES = 4_096
const PACE = { ticksPerSecond: 50, floodsPerSecond: 1_000 }
/** Bytes per second that each slow reader takes: a tenth of the flood. */
const SLOW_BYTES = 400_000
const MAX_GROWTH_BYTES = 64_000_000
const HOLD_MS = 2_000

interface Size {
  readonly healthy: number
  /** Milliseconds of a phase. */
  readonly phaseMs: number
  /** With and without the bad ones, in turn. */
  readonly rounds: number
  /** How many times as long a tick may take, p99. A small run is one among many tests, and too short to compare. */
  readonly maxRatio: number
  /** What a reader may have under way, where a run is too short to fill that of a hub as everybody starts it. */
  readonly window?: { readonly events: number }
  /** Events that a hub holds back for the bad ones. */
  readonly held: number
}

const SIZES: Readonly<Record<SuiteOptions['size'], Size>> = {
  full: { healthy: 100, phaseMs: 4_000, rounds: 5, maxRatio: 2, held: 1_000 },
  quick: {
    healthy: 100,
    phaseMs: 1_000,
    rounds: 5,
    maxRatio: 2,
    window: { events: 300 },
    held: 400,
  },
  smoke: {
    healthy: 5,
    phaseMs: 600,
    rounds: 1,
    maxRatio: Infinity,
    window: { events: 100 },
    held: 200,
  },
}

/** Everybody in a run. */
interface Cast {
  readonly hub: Child<WatchedHubDuties>
  readonly healthy: Child<AudienceDuties>
  readonly slow: Child<AudienceDuties>
  readonly frozen: Child<AudienceDuties>
  readonly proxy: ChaosProxy
  readonly url: string
  readonly speaker: Speaker
}

/** Starts everybody, and ends them when `act` is over. */
async function withCast<T>(
  seed: number,
  settings: WatchedHubSettings,
  act: (cast: Cast) => Promise<T>,
): Promise<T> {
  const audience = new URL('../readers/audience-process.js', import.meta.url)
  await using hub = await Child.start<WatchedHubDuties>(
    new URL('../hub/watched-hub-process.js', import.meta.url),
  )
  const port = await hub.ask('listen', { settings })
  await using healthy = await Child.start<AudienceDuties>(audience)
  await using slow = await Child.start<AudienceDuties>(audience)
  await using frozen = await Child.start<AudienceDuties>(audience)
  await using proxy = await startChaosProxy({ targetPort: port, seed })
  const url = `ws://127.0.0.1:${port}`
  await using bus = newBus(url, 'speaker', seededRandom(seed))
  await bus.connect()
  const speaker = new Speaker(bus, EVENT_BYTES)
  return await act({ hub, healthy, slow, frozen, proxy, url, speaker })
}

/** The bad ones come, and are slow and frozen from now on. */
async function spoil({ slow, frozen, proxy, url }: Cast): Promise<void> {
  const patterns = [TICK, FLOOD]
  proxy.setConditions({})
  await slow.ask('come', { url: `ws://127.0.0.1:${proxy.port}`, readers: BAD, patterns })
  await frozen.ask('come', { url, readers: BAD, patterns })
  proxy.setConditions({ bytesPerSecond: SLOW_BYTES }, 'downstream')
  frozen.signal('SIGSTOP')
}

/** They are let loose, and get what is left for them. @returns what each got */
async function recover(cast: Cast): Promise<readonly ReaderState[]> {
  const { slow, frozen, proxy, speaker } = cast
  frozen.signal('SIGCONT')
  proxy.setConditions({})
  const states = async (): Promise<readonly ReaderState[]> =>
    (await Promise.all([slow.ask('states'), frozen.ask('states')])).flat()
  const { published } = speaker
  await untilState(states, (all) => all.every(({ newest }) => newest >= published))
  return await states()
}

async function leave({ slow, frozen }: Cast): Promise<void> {
  await Promise.all([slow.ask('go'), frozen.ask('go')])
}

/** What a hub shows that holds nobody back. */
interface Unheld {
  readonly states: readonly ReaderState[]
  readonly p99: { readonly alone: number; readonly beside: number }
  readonly growthBytes: number
}

/**
 * Phases with and without the bad ones in turn, so that both have their share of the machine's own noise; and one phase
 * in which something else was busy counts for no more than any other.
 */
async function runUnheld(seed: number, size: Size): Promise<Unheld> {
  const { window } = size
  const limits = window === undefined ? {} : { limits: { window } }
  const settings = { holdMs: 0, log: { maxEvents: window?.events ?? 1_000 }, ...limits }
  return withCast(seed, settings, async (cast) => {
    const { hub, healthy, url, speaker } = cast
    await healthy.ask('come', { url, readers: size.healthy, patterns: [TICK] })
    await speaker.speak(size.phaseMs, PACE)
    const before = await hub.ask('memory')
    await hub.ask('watch')
    const alone: number[] = []
    const beside: number[] = []
    const states: ReaderState[] = []
    for (let round = 0; round < size.rounds; round++) {
      await healthy.ask('takeLatencies')
      await speaker.speak(size.phaseMs, PACE)
      alone.push(p99(await healthy.ask('takeLatencies')))
      await spoil(cast)
      await healthy.ask('takeLatencies')
      await speaker.speak(size.phaseMs, PACE)
      beside.push(p99(await healthy.ask('takeLatencies')))
      states.push(...(await recover(cast)))
      await leave(cast)
    }
    const watch = await hub.ask('unwatch')
    return {
      states,
      p99: { alone: median(alone), beside: median(beside) },
      growthBytes: (watch?.peakRssBytes ?? Infinity) - before,
    }
  })
}

/** What a hub shows that holds publishers back for a while. */
interface Held {
  readonly slow: readonly ReaderState[]
  readonly frozen: readonly ReaderState[]
  readonly confirmed: number
  readonly givenUp: number
}

/** Publishers wait for the slow ones, and for the frozen ones only as long as they may. */
async function runHeld(seed: number, { held }: Size): Promise<Held> {
  // What the sockets swallow holds nobody back.
  const limits = { window: { events: 50 } }
  const settings = { holdMs: HOLD_MS, log: { maxEvents: 100 }, limits }
  return withCast(seed, settings, async (cast) => {
    const { hub, slow, frozen, speaker } = cast
    await spoil(cast)
    speaker.flood(held)
    const look = async (): Promise<number> => speaker.confirmed + speaker.failed
    await untilState(look, (settled) => settled === held)
    await recover(cast)
    const { givenUp } = await hub.ask('stats')
    return {
      slow: await slow.ask('states'),
      frozen: await frozen.ask('states'),
      confirmed: speaker.confirmed,
      givenUp,
    }
  })
}

async function run({ seed, size }: SuiteOptions): Promise<SuiteReport> {
  let part = 'nobody is held'
  using progress = new Progress('readers', () => part)
  const unheld = await runUnheld(seed, SIZES[size])
  part = 'publishers are held'
  const held = await runHeld(seed, SIZES[size])
  const { p99: latency, growthBytes } = unheld
  const ratio = Math.round((latency.beside / latency.alone) * 100) / 100
  return {
    figures: {
      healthy: SIZES[size].healthy,
      bad: BAD * 2,
      p99Ms: { alone: latency.alone / 1_000, beside: latency.beside / 1_000 },
      ratio,
      growthBytes,
      unheld: { missing: sum(unheld.states, 'missing'), gapSize: sum(unheld.states, 'gapSize') },
      held: { givenUp: held.givenUp, gapSize: sum(held.frozen, 'gapSize') },
    },
    bars: [
      atMost('p99 of the others, with them as a multiple of without', ratio, SIZES[size].maxRatio),
      atMost('bytes more in the hub', growthBytes, MAX_GROWTH_BYTES),
      ...unheldBars(unheld.states),
      ...heldBars(held, SIZES[size].held),
    ],
  }
}

/** Each that missed something was told, to the event. */
function unheldBars(states: readonly ReaderState[]): Bar[] {
  const untold = states.filter(({ missing, gapSize }) => missing !== gapSize)
  return [
    atLeast('not held: missed', sum(states, 'missing'), 1),
    exactly('not held: told in gaps', sum(states, 'gapSize'), sum(states, 'missing')),
    exactly('not held: readers that were told otherwise', untold.length, 0),
  ]
}

function heldBars({ slow, frozen, confirmed, givenUp }: Held, published: number): Bar[] {
  return [
    exactly('held: confirmed', confirmed, published),
    exactly('held: handled by the slow', sum(slow, 'handled'), published * BAD),
    exactly('held: gaps of the slow', sum(slow, 'gaps'), 0),
    exactly('held: frozen ones that were given up', givenUp, BAD),
    atLeast('held: missed by the frozen', sum(frozen, 'missing'), BAD),
    exactly('held: told to the frozen in gaps', sum(frozen, 'gapSize'), sum(frozen, 'missing')),
  ]
}

function sum(states: readonly ReaderState[], figure: keyof ReaderState): number {
  return states.reduce((total, state) => total + state[figure], 0)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Infinity
}

function p99(values: Float64Array): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? Infinity
}

/** The hub, the healthy, the slow and the frozen each in a process of their own. */
export const readers: Suite = {
  name: 'readers',
  about:
    'slow and frozen readers beside a hundred others: who is held, who is told, and who notices',
  run,
}
