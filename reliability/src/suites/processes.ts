/** Processes: frozen, killed and told to leave, each with exactly what must come of it. */
import { differences, type Case } from '../processes/case.ts'
import { FROZEN } from '../processes/frozen.ts'
import { KILLED } from '../processes/killed.ts'
import { LEAVING } from '../processes/leaving.ts'
import { Stage } from '../processes/stage.ts'
import { exactly, type Bar } from '../report/bar.ts'
import { Progress } from '../report/progress.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

const ALL: readonly Case[] = [...FROZEN, ...KILLED, ...LEAVING]

/** Enough to show that it runs. */
const FEW: readonly Case[] = [...FROZEN.slice(0, 1), ...LEAVING.slice(0, 1)]

/** How a case ended that is not as expected. */
interface Miss {
  readonly name: string
  readonly differences: readonly string[]
  readonly got: unknown
}

async function run({ size }: SuiteOptions): Promise<SuiteReport> {
  const cases = size === 'smoke' ? FEW : ALL
  const misses: Miss[] = []
  const bars: Bar[] = []
  using progress = new Progress('processes', () => `${bars.length} of ${cases.length}`)
  for (const one of cases) {
    const miss = await missOf(one)
    if (miss !== undefined) misses.push(miss)
    bars.push(exactly(one.name, miss?.differences.length ?? 0, 0))
  }
  return { figures: { cases: cases.length, misses }, bars }
}

async function missOf(one: Case): Promise<Miss | undefined> {
  await using stage = new Stage()
  try {
    const got = await one.run(stage)
    const found = differences(one, got)
    return found.length === 0 ? undefined : { name: one.name, differences: found, got }
  } catch (error) {
    return { name: one.name, differences: ['it failed'], got: String(error) }
  }
}

/** Each case has a hub and clients of its own. */
export const processes: Suite = {
  name: 'processes',
  about: 'SIGSTOP, SIGKILL, SIGTERM, drain and the natural end, each with its exact outcome',
  run,
}
