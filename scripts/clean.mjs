// Removes what `tsc -b` has built, also what is left of sources that are gone, which `tsc -b --clean` does not know.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const { references } = JSON.parse(readFileSync('tsconfig.json', 'utf8'))
const folders = references.map(({ path }) => path).filter((path) => !path.endsWith('.json'))
for (const path of folders) rmSync(join(path, 'dist'), { recursive: true, force: true })
rmSync('node_modules/.cache/tsc', { recursive: true, force: true })
