// Puts the figures of docs/reliability.json into the README.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withFigures } from './docs/figures.mjs'
import { root } from './source/workspace.mjs'

const readme = join(root, 'README.md')
const published = JSON.parse(readFileSync(join(root, 'docs/reliability.json'), 'utf8'))
writeFileSync(readme, withFigures(readFileSync(readme, 'utf8'), published))
execFileSync('npx', ['oxfmt', readme], { cwd: root, stdio: 'inherit' })
