import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vitest/config'
import workspace from '../vitest.config.ts'
import { CHANGE_VARIABLE, plant } from './src/seeded/plant.ts'
import type { Change } from './src/seeded/seeded-bug.ts'

const change = process.env[CHANGE_VARIABLE]

/** The workspace's tests, with one bug planted in what they test. */
export default mergeConfig(workspace, {
  root: fileURLToPath(new URL('..', import.meta.url)),
  // Tests of tests, which take their time: not among those that everybody runs before each commit.
  test: { include: ['packages/*/test/**/*.mutants.ts'] },
  plugins: change === undefined ? [] : [plant(JSON.parse(change) as Change)],
})
