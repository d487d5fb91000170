import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packPackages } from '../packages/pack.mjs'
import { run } from '../packages/run.mjs'
import { root } from '../source/workspace.mjs'
import { fences } from './markdown.mjs'
import { installNode, makeProject } from './pasted.mjs'

const text = readFileSync(join(root, 'docs/guides/commonjs-and-jest.md'), 'utf8')
const blocks = fences(text)
const directory = mkdtempSync(join(tmpdir(), 'bus-jest-'))
const project = join(directory, 'project')
const nodes = new Map([['at hand', { file: process.execPath }]])
const JEST = './node_modules/jest/bin/jest.js'

/** The blocks that name their file in a comment on the first line, in the order of the page. */
const files = blocks.flatMap(({ text: block }) => {
  const match = /^\/\/ ([\w./-]+)\n(.*)$/s.exec(block)
  return match === null ? [] : [{ path: match[1], source: match[2] }]
})

function write({ path, source }) {
  mkdirSync(dirname(join(project, path)), { recursive: true })
  writeFileSync(join(project, path), source)
}

beforeAll(() => {
  const tarballs = packPackages(root, join(directory, 'tarballs'))
  makeProject(project, text, tarballs)
  for (const version of ['22', '24']) nodes.set(version, installNode(directory, version))
}, 600_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.for(['at hand', '22', '24'])('on the Node %s', (version) => {
  const nodeOr = (skip) => {
    const { file, missing } = nodes.get(version)
    if (missing !== undefined) skip(missing)
    return file
  }

  test('the CommonJS programs of the guide run', ({ skip }) => {
    const node = nodeOr(skip)
    const programs = blocks.filter(({ info }) => info[0] === 'cjs')
    expect(programs).toHaveLength(2)
    for (const [index, { text: source }] of programs.entries()) {
      writeFileSync(join(project, `program-${index}.cjs`), source)
      expect(() => run(node, [`program-${index}.cjs`], project)).not.toThrow()
    }
  })

  test('Jest runs the test as a project of Nest 12 is set up, where it can require an ES module', ({
    skip,
  }) => {
    const node = nodeOr(skip)
    const [major, minor] = run(node, ['-p', 'process.versions.node'], project)
      .split('.')
      .map(Number)
    if (major < 24 || (major === 24 && minor < 9))
      skip('Jest requires ES modules from Node 24.9 on')
    for (const file of files.slice(0, -1)) write(file)
    expect(() => run(node, ['--experimental-vm-modules', JEST], project)).not.toThrow()
  })

  test('Jest runs the test with the packages compiled', ({ skip }) => {
    const node = nodeOr(skip)
    for (const file of files) write(file)
    expect(() => run(node, [JEST], project)).not.toThrow()
  })
})
