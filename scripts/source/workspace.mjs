/** The packages of this workspace on disk: their manifests, their sources, and what was built from them. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFacts } from './source-file.mjs'

/** The workspace's root directory. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Files below `directory` (relative to the root), as paths relative to the root with forward slashes. */
export function list(directory, matches, base = root) {
  const from = join(base, directory)
  if (!existsSync(from)) return []
  return readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(base, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.includes('node_modules/') && matches(path))
    .toSorted()
}

const isSource = (path) => path.endsWith('.ts')
const isTest = (path) => path.endsWith('.test.ts')

/** Every package with its manifest, and the facts of its sources, tests and type declarations. */
export function readPackages(base = root) {
  return readdirSync(join(base, 'packages'))
    .toSorted()
    .filter((name) => existsSync(join(base, 'packages', name, 'package.json')))
    .map((name) => {
      const directory = `packages/${name}`
      const facts = (path) => readFacts(path, readFileSync(join(base, path), 'utf8'))
      const src = list(`${directory}/src`, isSource, base)
      return {
        name,
        directory,
        manifest: JSON.parse(readFileSync(join(base, directory, 'package.json'), 'utf8')),
        sources: src.filter((path) => !isTest(path)).map(facts),
        tests: [...src.filter(isTest), ...list(`${directory}/test`, isSource, base)].map(facts),
        declarations: list(`${directory}/dist`, (path) => path.endsWith('.d.ts'), base).map(facts),
      }
    })
}

/** The entry points of a package, from its `exports`: the name to import, and the source behind it. */
export function entryPoints({ directory, manifest }) {
  return Object.entries(manifest.exports).flatMap(([path, { '@bus/source': source }]) =>
    source === undefined
      ? []
      : [{ name: posix.join(manifest.name, path), source: posix.join(directory, source) }],
  )
}
