import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vitest/config'
import workspace from '../vitest.config.ts'
import { CHANGE_VARIABLE, plant } from './src/seeded/plant.ts'
import type { Change } from './src/seeded/seeded-bug.ts'

/** The workspace's tests, with one bug planted in what they test. */
export default mergeConfig(workspace, {
  root: fileURLToPath(new URL('..', import.meta.url)),
  plugins: [plant(JSON.parse(process.env[CHANGE_VARIABLE] ?? 'null') as Change)],
})
