// Runs the conformance suite on every transport and keeps what it found in docs/conformance.json.
import { execFileSync } from 'node:child_process'
import { root } from './source/workspace.mjs'

const SUITES = ['packages/testing/test/conformance-memory', 'packages/websocket/test/conformance/']

// One file after the other: they share the file of reports.
const command = ['node_modules/vitest/vitest.mjs', 'run', '--no-file-parallelism', ...SUITES]
execFileSync(process.execPath, command, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, UPDATE_CONFORMANCE: '1' },
})
