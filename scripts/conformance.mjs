// Runs the conformance suite on every transport, keeps what it found in docs/conformance.json, and writes the documents.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  casesTable,
  guaranteesTable,
  toMarkdown,
} from '../packages/testing/dist/conformance/index.js'
import { conformancePage, withGuarantees } from './docs/conformance.mjs'
import { root } from './source/workspace.mjs'

const REPORTS = 'docs/conformance.json'
const SUITES = ['packages/testing/test/conformance-memory', 'packages/websocket/test/conformance/']

const run = (tool, args, env = {}) =>
  execFileSync(process.execPath, [join(root, tool), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })

// One file after the other: they share the file of reports.
const vitest = ['run', '--no-file-parallelism', ...SUITES]
if (!process.argv.includes('--documents')) {
  run('node_modules/vitest/vitest.mjs', vitest, { UPDATE_CONFORMANCE: '1' })
}

const tables = { casesTable, guaranteesTable, toMarkdown }
const reports = JSON.parse(readFileSync(join(root, REPORTS), 'utf8'))
const readme = withGuarantees(readFileSync(join(root, 'README.md'), 'utf8'), reports, tables)
if (readme === undefined) throw new Error('README.md has no place for the table of guarantees')
writeFileSync(join(root, 'README.md'), readme)
writeFileSync(join(root, 'docs/conformance.md'), conformancePage(reports, tables))
run('node_modules/oxfmt/bin/oxfmt', ['README.md', 'docs/conformance.md', REPORTS])
