/** Bad inputs: a table of them, each with its exact outcome. */
import { WatchedHubs } from '../hub/watched-hubs.ts'
import { CANARY } from '../inputs/build.ts'
import { GROUPS, type Group } from '../inputs/group.ts'
import { House, type TableTally } from '../inputs/run-table.ts'
import { TABLE } from '../inputs/table.ts'
import { atLeast, exactly, type Bar } from '../report/bar.ts'
import { Progress } from '../report/progress.ts'
import type { Suite, SuiteReport } from './suite.ts'

/** Misses that are printed of each kind. */
const MAX_SHOWN = 20

const GROUP_NAMES = Object.keys(GROUPS) as Group[]

function barsOf(tally: TableTally): Bar[] {
  return [
    ...GROUP_NAMES.map((group) => atLeast(`${group}: rows`, tally.rows[group] ?? 0, GROUPS[group])),
    ...GROUP_NAMES.map((group) => {
      const missed = tally.outcomes.filter((miss) => miss.group === group)
      return exactly(`${group}: with another outcome`, missed.length, 0)
    }),
    exactly('rows that moved other counters', tally.counters.length, 0),
    exactly('readers that got what they must not, or missed something', tally.readers.length, 0),
    exactly('rows that showed something secret', tally.secrets.length, 0),
    exactly('probes that were served', tally.served, tally.probes),
  ]
}

async function run(): Promise<SuiteReport> {
  const startedAt = performance.now()
  const hubs = await WatchedHubs.start()
  await using house = await House.open(hubs)
  const { tally } = house
  const all = Object.values(TABLE).reduce((sum, rows) => sum + rows.length, 0)
  const done = (): number => Object.values(tally.rows).reduce((sum, rows) => sum + rows, 0)
  using progress = new Progress('inputs', () => `${done()} of ${all} rows`)
  for (const group of GROUP_NAMES) await house.run(group, TABLE[group])
  const { mishaps, told, loop } = await hubs.look()
  const shown = [hubs.printed, ...told, ...mishaps].filter((text) => text.includes(CANARY))
  return {
    figures: {
      rows: tally.rows,
      all: done(),
      outcomes: tally.outcomes.slice(0, MAX_SHOWN),
      counters: tally.counters.slice(0, MAX_SHOWN),
      readers: tally.readers,
      secrets: tally.secrets,
      failures: tally.failures,
      mishaps,
      printed: hubs.printed.slice(0, 1_000),
      loop,
      seconds: Math.round(performance.now() - startedAt) / 1_000,
    },
    bars: [
      ...barsOf(tally),
      exactly('secrets in errors, telemetry and prints', shown.length, 0),
      exactly('characters that the hub printed', hubs.printed.length, 0),
      exactly('crashes', hubs.hasCrashed ? 1 : 0, 0),
      exactly('unhandled rejections, exceptions and warnings of the hub', mishaps.length, 0),
    ],
  }
}

/** All of it in every size: it is quick, and a table that is tried in part proves little. */
export const inputs: Suite = {
  name: 'inputs',
  about:
    'a table of bad inputs: each has its exact status, close code or answer, and shows nothing',
  run,
}
