/** A scene: one thing that somebody may try, with its figures and bars. */
import type { WatchedHubs } from '../hub/watched-hubs.ts'
import type { Bar } from '../report/bar.ts'
import type { SuiteOptions } from '../suites/suite.ts'

/** What it plays with. */
interface Stage extends SuiteOptions {
  readonly hubs: WatchedHubs
  /** For the line of each second. */
  readonly say: (progress: string) => void
}

/** What came of it. */
interface SceneReport {
  readonly figures: Readonly<Record<string, unknown>>
  readonly bars: readonly Bar[]
}

/** Opens hubs of its own. */
export type Scene = (stage: Stage) => Promise<SceneReport>
