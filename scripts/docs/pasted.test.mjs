import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packPackages } from '../packages/pack.mjs'
import { list, root } from '../source/workspace.mjs'
import {
  compile,
  freePort,
  importedNames,
  installNode,
  installedNames,
  isJavaScript,
  makeProject,
  pastedExamples,
  runAll,
} from './pasted.mjs'

const require = createRequire(import.meta.url)
const DOCUMENTS = [
  'README.md',
  ...list('packages', (path) => /^packages\/\w[\w-]*\/README\.md$/.test(path)),
  // The guide to Jest has a test of its own: its blocks are files of one project.
  ...list('docs/guides', (path) => path.endsWith('.md') && !path.includes('jest')),
]
const COMPILERS = ['typescript-5.9', 'typescript'].map((name) => ({
  name,
  file: join(require.resolve(`${name}/package.json`), '../bin/tsc'),
}))
const NODES = ['at hand', '22', '24']

const directory = mkdtempSync(join(tmpdir(), 'bus-pasted-'))
const nodes = new Map([['at hand', { file: process.execPath }]])
let tarballs = []

beforeAll(() => {
  tarballs = packPackages(root, join(directory, 'tarballs'))
  for (const version of NODES.slice(1)) nodes.set(version, installNode(directory, version))
}, 600_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.each(DOCUMENTS)('the examples of %s', (path) => {
  const text = readFileSync(join(root, path), 'utf8')
  const project = join(directory, path.replaceAll(/\W/g, '-'))
  const outputs = new Map()
  let examples = []

  /** Where the TypeScript is, compiled once by each compiler. */
  function outputOf(tsc) {
    if (!outputs.has(tsc)) outputs.set(tsc, compile(project, examples, tsc))
    return outputs.get(tsc)
  }

  /** A file of the project: the block itself where it is JavaScript, or what the newest compiler makes of it. */
  function writeProgram(example) {
    const file = `line-${example.line}.mjs`
    const source = isJavaScript(project, example)
      ? example.source
      : readFileSync(join(outputOf(COMPILERS.at(-1)), `line-${example.line}.js`), 'utf8')
    writeFileSync(join(project, file), source)
    return { file, isService: example.isService }
  }

  beforeAll(async () => {
    const port = String(await freePort())
    examples = pastedExamples(text.replaceAll('8080', port))
    makeProject(project, text, tarballs)
  }, 600_000)

  test('import only what the document installs', () => {
    const installed = installedNames(text)
    const names = examples.flatMap(importedNames)
    expect(names.filter((name) => !installed.includes(name))).toEqual([])
  })

  test.for(COMPILERS)('compile with the defaults of tsc --init of $name, and run', async (tsc) => {
    const output = outputOf(tsc)
    const programs = examples
      .filter(({ isTypeScript }) => isTypeScript)
      .map(({ line, isService }) => ({ file: `line-${line}.js`, isService }))
    await expect(runAll(process.execPath, output, programs)).resolves.toBeUndefined()
  })

  test.for(NODES)('run on the Node %s', async (version, { skip }) => {
    const { file, missing } = nodes.get(version)
    if (missing !== undefined) skip(missing)
    const programs = examples.map(writeProgram)
    await expect(runAll(file, project, programs)).resolves.toBeUndefined()
  })
})
