import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import workspace from '../vitest.config.ts'
import { ALL } from '../vitest.lanes.ts'
import { CHANGE_VARIABLE, plant } from './src/seeded/plant.ts'
import type { Change } from './src/seeded/seeded-bug.ts'

const change = process.env[CHANGE_VARIABLE]
const { projects: _lanes, ...options } = workspace.test ?? {}

/** Every test of the workspace, whatever its lane, with one bug planted in what they test. */
export default defineConfig({
  ...workspace,
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: { ...options, include: [...ALL] },
  plugins: change === undefined ? [] : [plant(JSON.parse(change) as Change)],
})
