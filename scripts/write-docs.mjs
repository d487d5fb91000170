// Writes the documents, and the parts of the README, that are made from data in docs/*.json. `npm run docs`
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
const readme = withGuarantees(read('README.md'), reports, tables)
if (readme === undefined) throw new Error('README.md has no place for the table of guarantees')

write('README.md', withFigures(readme, readData('docs/reliability.json')))
write('docs/conformance.md', conformancePage(reports, tables))
write('docs/features.md', featuresPage(readData('docs/features.json')))
write('docs/reliability.md', failuresPage(readData('docs/failures.json')))

const formatted = ['README.md', 'docs/conformance.md', 'docs/conformance.json']
execFileSync(process.execPath, [join(root, 'node_modules/oxfmt/bin/oxfmt'), ...formatted], {
  cwd: root,
  stdio: 'inherit',
})
