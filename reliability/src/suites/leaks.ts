/** Leaks: the same thing ten thousand times, and what the client and the hub hold then is what they held before. */
import type { WatchedHubDuties } from '../hub/watched-hub-process.ts'
import type { CyclerDuties } from '../leaks/cycler-process.ts'
import { findFreePort } from '../process/free-port.ts'
import type { Holdings } from '../measure/heap.ts'
import { Child } from '../process/child.ts'
import { atMost, exactly, type Bar } from '../report/bar.ts'
import { Progress } from '../report/progress.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

/** Clients whose links break at the same time. */
const CLIENTS = 50
/** Clients that dial in vain at the same time. */
const DIALERS = 20
/** Looks, 50 ms apart, until what was closed must be gone. */
const LOOKS = 100
const MAX_GROWTH_BYTES = 5_000_000

const CYCLES: Readonly<Record<SuiteOptions['size'], number>> = {
  full: 10_000,
  quick: 1_000,
  smoke: 100,
}

/** The processes of a run. */
interface Sides {
  readonly client: Child<CyclerDuties>
  readonly hub: Child<WatchedHubDuties>
}

/** One thing to do again and again. */
interface Round {
  readonly name: string
  /** Before the first look. */
  readonly open: (sides: Sides) => Promise<void>
  /** What is done before the first look, so that everything that is kept once is there, and between both. */
  readonly repeat: (sides: Sides, cycles: number) => Promise<void>
}

/** Bytes that are there more than before. */
interface Growth {
  readonly client: number
  readonly hub: number
  /** Kinds of handles of which the client has more, once it is closed, than before it was opened. */
  readonly handles: readonly string[]
  readonly seconds: number
}

/** Breaks every link again and again. Counts over its life, as the client does. */
function newBreaker(): Round['repeat'] {
  let total = 0
  return async ({ client, hub }, cycles) => {
    for (let left = cycles; left > 0; left -= CLIENTS) {
      total += CLIENTS
      await hub.ask('cut')
      await client.ask('returned', total)
    }
  }
}

function newRounds(): Round[] {
  const openOne: Round['open'] = ({ client }) => client.ask('open', 1)
  return [
    {
      name: 'reconnects',
      open: ({ client }) => client.ask('open', CLIENTS),
      repeat: newBreaker(),
    },
    {
      name: 'refused dials',
      open: ({ client }) => client.ask('openInVain', DIALERS),
      repeat: ({ client }, cycles) => client.ask('refused', cycles),
    },
    {
      name: 'subscriptions',
      open: openOne,
      repeat: ({ client }, cycles) => client.ask('subscribe', cycles),
    },
    {
      name: 'aborted publishes',
      open: openOne,
      repeat: async ({ client }, cycles) => {
        const aborted = await client.ask('abort', cycles)
        // One in four is left alone.
        const expected = cycles - Math.floor(cycles / 4)
        if (aborted !== expected) throw new Error(`${aborted} of ${expected} were aborted`)
      },
    },
  ]
}

async function run({ size }: SuiteOptions): Promise<SuiteReport> {
  const cycles = CYCLES[size]
  const canCollect = true
  const hubModule = new URL('../hub/watched-hub-process.js', import.meta.url)
  const cyclerModule = new URL('../leaks/cycler-process.js', import.meta.url)
  await using hub = await Child.start<WatchedHubDuties>(hubModule, { canCollect })
  await using client = await Child.start<CyclerDuties>(cyclerModule, { canCollect })
  const sides: Sides = { client, hub }
  const url = `ws://127.0.0.1:${await hub.ask('listen', { settings: { log: { maxEvents: 100 } } })}`
  await client.ask('prepare', { url, deadUrl: `ws://127.0.0.1:${await findFreePort()}` })
  const growths = new Map<string, Growth>()
  using progress = new Progress('leaks', () => `${growths.size} of 4 done`)
  for (const round of newRounds()) growths.set(round.name, await growthOf(round, sides, cycles))
  const listeners = await client.ask('leftListeners')
  return {
    figures: { cycles, ...Object.fromEntries(growths) },
    bars: [
      ...[...growths].flatMap(([name, growth]) => barsOf(name, growth)),
      exactly('listeners left on a signal', listeners, 0),
    ],
  }
}

async function growthOf(round: Round, sides: Sides, cycles: number): Promise<Growth> {
  const { client, hub } = sides
  const startedAt = performance.now()
  const idle = await client.ask('takeStock')
  await round.open(sides)
  // What is kept once, such as compiled code and caches that are full, is no leak.
  await round.repeat(sides, Math.max(CLIENTS * 2, cycles / 10))
  const before = [await client.ask('takeStock'), await hub.ask('takeStock')] as const
  await round.repeat(sides, cycles)
  const after = [await client.ask('takeStock'), await hub.ask('takeStock')] as const
  await client.ask('close')
  return {
    client: held(after[0]) - held(before[0]),
    hub: held(after[1]) - held(before[1]),
    handles: extra(idle, await settled(client, idle)),
    seconds: Math.round(performance.now() - startedAt) / 1_000,
  }
}

function held({ heapBytes, externalBytes }: Holdings): number {
  return heapBytes + externalBytes
}

/** A socket that was closed is still counted for a moment. */
async function settled(client: Child<CyclerDuties>, idle: Holdings): Promise<Holdings> {
  for (let look = 0; ; look++) {
    const now = await client.ask('takeStock')
    if (look === LOOKS || extra(idle, now).length === 0) return now
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Kinds of which there are more. Fewer are no leak: the process was just loaded when it was looked at first. */
function extra(before: Holdings, after: Holdings): string[] {
  const kinds = Object.entries(after.handles)
  return kinds.filter(([kind, count]) => count > (before.handles[kind] ?? 0)).map(([kind]) => kind)
}

function barsOf(name: string, { client, hub, handles }: Growth): Bar[] {
  return [
    atMost(`${name}: bytes more in the client`, client, MAX_GROWTH_BYTES),
    atMost(`${name}: bytes more in the hub`, hub, MAX_GROWTH_BYTES),
    exactly(`${name}: kinds of handles left`, handles.length, 0),
  ]
}

/** Both sides in processes that collect their garbage twice before anybody looks. */
export const leaks: Suite = {
  name: 'leaks',
  about: 'reconnects, refused dials, subscriptions and aborted publishes leave nothing behind',
  run,
}
