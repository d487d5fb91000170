/** Security: who gets in, what they may do once they are in, and how much of the hub they can use up. */
import { WatchedHubs } from '../hub/watched-hubs.ts'
import { CANARY } from '../inputs/build.ts'
import { exactly, type Bar } from '../report/bar.ts'
import { Progress } from '../report/progress.ts'
import { crowds, stampede } from '../security/crowds.ts'
import { doors } from '../security/doors.ts'
import { drips } from '../security/drips.ts'
import { floods } from '../security/floods.ts'
import { grants } from '../security/grants.ts'
import type { Scene } from '../security/scene.ts'
import { sessions } from '../security/sessions.ts'
import { work } from '../security/work.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

const SCENES: Readonly<Record<string, Scene>> = {
  doors,
  grants,
  sessions,
  crowds,
  stampede,
  floods,
  work,
  drips,
}

async function run(options: SuiteOptions): Promise<SuiteReport> {
  await using hubs = await WatchedHubs.start()
  let now = ''
  using progress = new Progress('security', () => now)
  const figures: Record<string, unknown> = {}
  const bars: Bar[] = []
  for (const [name, scene] of Object.entries(SCENES)) {
    // Slow handshakes take what the limit for them is, whatever else is small.
    if (name === 'drips' && options.size === 'smoke') continue
    const startedAt = performance.now()
    now = name
    const report = await scene({ ...options, hubs, say: (what) => (now = what) })
    const seconds = Math.round(performance.now() - startedAt) / 1_000
    figures[name] = { ...report.figures, seconds }
    bars.push(...report.bars)
  }
  const { mishaps, told } = await hubs.look()
  const shown = [hubs.printed, ...told, ...mishaps].filter((text) => text.includes(CANARY))
  return {
    figures: { ...figures, mishaps, printed: hubs.printed.slice(0, 1_000) },
    bars: [
      ...bars,
      exactly('secrets in errors, telemetry and prints', shown.length, 0),
      exactly('characters that the hubs printed', hubs.printed.length, 0),
      exactly('crashes', hubs.hasCrashed ? 1 : 0, 0),
      exactly('unhandled rejections, exceptions and warnings of the hubs', mishaps.length, 0),
    ],
  }
}

/** Every scene on hubs of its own, in one process that is watched. */
export const security: Suite = {
  name: 'security',
  about: 'doors, grants, sessions, crowds, floods, slow handshakes and work that strangers make',
  run,
}
