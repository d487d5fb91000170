// Writes the documents, and the tables of docs/guarantees.md, that are made from data in docs/*.json. `npm run docs`
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  casesTable,
  guaranteesTable,
  toMarkdown,
} from '../packages/testing/dist/conformance/index.js'
import { conformancePage, withGuarantees } from './docs/conformance.mjs'
import { failuresPage } from './docs/failures.mjs'
import { featuresPage } from './docs/features.mjs'
import { withFigures } from './docs/figures.mjs'
import { root } from './source/workspace.mjs'

const read = (path) => readFileSync(join(root, path), 'utf8')
const readData = (path) => JSON.parse(read(path))
const write = (path, text) => writeFileSync(join(root, path), text)

const reports = readData('docs/conformance.json')
const tables = { casesTable, guaranteesTable, toMarkdown }
const guarantees = withGuarantees(read('docs/guarantees.md'), reports, tables)
if (guarantees === undefined) throw new Error('docs/guarantees.md has no place for its table')

write('docs/guarantees.md', withFigures(guarantees, readData('docs/reliability.json')))
write('docs/conformance.md', conformancePage(reports, tables))
write('docs/features.md', featuresPage(readData('docs/features.json')))
write('docs/reliability.md', failuresPage(readData('docs/failures.json')))

const formatted = ['docs/guarantees.md', 'docs/conformance.md', 'docs/conformance.json']
execFileSync(process.execPath, [join(root, 'node_modules/oxfmt/bin/oxfmt'), ...formatted], {
  cwd: root,
  stdio: 'inherit',
})
