import { describe, expect, test } from 'vitest'
import { readFacts } from '../source/source-file.mjs'
import { figures } from './figures.mjs'
import { judge } from './rules.mjs'
import { tallFiles } from './shape.mjs'

const OPENING = '/** What it is. */\n'
const facts = (files) =>
  Object.entries(files).map(([path, text]) => readFacts(path, text === '' ? '' : text))

/** A package as it is read from disk, made of nothing but texts. */
function packageOf(name, { sources = {}, tests = {}, declarations = {} }) {
  const directory = `packages/${name}`
  const below = (files) =>
    facts(
      Object.fromEntries(
        Object.entries(files).map(([path, text]) => [`${directory}/${path}`, text]),
      ),
    )
  return {
    name,
    directory,
    manifest: { exports: { '.': { '@bus/source': './src/index.ts' } } },
    sources: below({ 'src/index.ts': 'export {}\n', ...sources }),
    tests: below(tests),
    declarations: below({ 'dist/index.d.ts': 'export {}\n', ...declarations }),
  }
}

const broken = (name, parts) =>
  judge([packageOf(name, parts)]).map(({ rule, message }) => `${rule}: ${message}`)

test('a package that keeps the rules breaks none', () => {
  const sources = {
    'src/index.ts': "export { ring } from './queue/ring.ts'\n",
    'src/queue/ring.ts': `${OPENING}import Denque from 'denque'\n/** Makes one. */\nexport const ring = (): number => new Denque().length\n`,
  }
  const declarations = {
    'dist/index.d.ts': "export { ring } from './queue/ring.ts'\n",
    'dist/queue/ring.d.ts': 'export declare const ring: () => number\n',
  }
  expect(broken('core', { sources, declarations })).toEqual([])
})

const lines = (count) => `${OPENING}${'const x = 1\n'.repeat(count - 1)}`
const gone = (path) => ({ [`dist/${path}.d.ts`]: 'export {}\n' })

const breaches = [
  [
    'a cycle by value',
    'core',
    {
      'src/queue/a.ts': `${OPENING}import { b } from './b.ts'\nexport const a = b\n`,
      'src/queue/b.ts': `${OPENING}import { a } from './a.ts'\nexport const b = a\n`,
    },
    'no import cycle: import cycle: packages/core/src/queue/a.ts → packages/core/src/queue/b.ts → packages/core/src/queue/a.ts',
  ],
  [
    'a cycle by type alone',
    'core',
    {
      'src/queue/a.ts': `${OPENING}import type { B } from './b.ts'\nexport type A = B\n`,
      'src/queue/b.ts': `${OPENING}export type B = import('./a.ts').A\n`,
    },
    'no import cycle: import cycle: packages/core/src/queue/a.ts → packages/core/src/queue/b.ts → packages/core/src/queue/a.ts',
  ],
  [
    'an arrow from core to another package',
    'core',
    { 'src/bus/a.ts': `${OPENING}import type { X } from '@bus/testing'\n` },
    'the direction of the arrows: core must not import @bus/testing',
  ],
  [
    'an arrow from testing to a transport',
    'testing',
    { 'src/a.ts': `${OPENING}export * from '@bus/websocket/hub'\n` },
    'the direction of the arrows: testing must not import @bus/websocket',
  ],
  [
    'a library that the package is not meant to use',
    'websocket',
    { 'src/client/a.ts': `${OPENING}const x = await import('lodash/fp')\n` },
    'the direction of the arrows: websocket must not import lodash',
  ],
  [
    'a path into another package',
    'websocket',
    { 'src/client/a.ts': `${OPENING}import '../../../core/src/bus/bus.ts'\n` },
    'packages meet by name only: reaches out of its package: packages/core/src/bus/bus.ts',
  ],
  [
    "another package's sources by name",
    'websocket',
    { 'src/client/a.ts': `${OPENING}import '@bus/core/src/bus/bus.ts'\n` },
    'packages meet by name only: reaches into another package: @bus/core/src/bus/bus.ts',
  ],
  [
    'a socket room that knows the client',
    'websocket',
    { 'src/socket/a.ts': `${OPENING}import type { X } from '../client/options.ts'\n` },
    'closed doors between rooms: room socket must not import room client',
  ],
  [
    'a hub that knows the client',
    'websocket',
    { 'src/hub/a.ts': `${OPENING}export { x } from '../client/x.ts'\n` },
    'closed doors between rooms: room hub must not import room client',
  ],
  [
    'a room that knows one above it',
    'websocket',
    { 'src/client/link/a.ts': `${OPENING}import type { X } from '../reconnect/x.ts'\n` },
    'floors of a folder: link must not import reconnect, which is above',
  ],
  [
    'a room without a floor',
    'websocket',
    { 'src/client/attic/a.ts': `${OPENING}export const a = 1\n` },
    'floors of a folder: the room attic has no floor',
  ],
  [
    'a mock server that uses a codec',
    'testing',
    { 'src/mock-server/a.ts': `${OPENING}import { jsonCodec } from '@bus/core'\n` },
    'literal frames in the mock server: the mock server must not use a codec: jsonCodec',
  ],
  [
    'a file above the limit',
    'core',
    { 'src/queue/a.ts': lines(301) },
    'size of files: 301 lines, limit 300',
  ],
  [
    'a method above the limit',
    'core',
    { 'src/queue/a.ts': `${OPENING}class A {\n  run() {\n${'    f()\n'.repeat(49)}  }\n}\n` },
    'size of functions: run has 51 lines, limit 50',
  ],
  [
    'a name without a concept',
    'core',
    { 'src/queue/queue-x/utils.ts': OPENING },
    'names of files: the name says nothing about the concept',
  ],
  [
    'a module without a first sentence',
    'core',
    { 'src/queue/a.ts': '// text\n' },
    'first sentence of a module: does not open with a sentence in TSDoc',
  ],
  [
    'a variable at module level',
    'core',
    { 'src/queue/a.ts': `${OPENING}export let count = 0\n` },
    'no state in modules: mutable state at module level',
  ],
]

describe('the rules refuse', () => {
  test.each(breaches)('%s', (_what, name, sources, message) => {
    const built = Object.keys(sources).map((path) => gone(path.slice(4, -3)))
    expect(broken(name, { sources, declarations: Object.assign({}, ...built) })).toEqual([message])
  })

  test('a test that reaches into another package', () => {
    const tests = { 'test/a.test.ts': "import '../../core/src/bus/bus.ts'\n" }
    expect(broken('websocket', { tests })).toEqual([
      'packages meet by name only: reaches out of its package: packages/core/src/bus/bus.ts',
    ])
  })

  test('a package that has no row in the table of arrows', () => {
    expect(broken('nats', {})).toEqual([
      'the direction of the arrows: has no row in ARROWS of boundaries.mjs',
    ])
  })

  test('a public export without a comment, wherever it is written', () => {
    const sources = {
      'src/index.ts': "export * from './queue/index.ts'\n",
      'src/queue/index.ts': "export { ring as Ring, type Kept } from './ring.ts'\n",
      'src/queue/ring.ts': `${OPENING}\nconst ring = 1\n/** Kept. */\nexport interface Kept {}\nexport const hidden = 1\nexport { ring }\n`,
    }
    const declarations = { ...gone('queue/index'), ...gone('queue/ring') }
    expect(broken('core', { sources, declarations })).toEqual([
      'documented exports: ring has no TSDoc',
    ])
  })

  test('`any` in a declaration', () => {
    const declarations = { 'dist/index.d.ts': 'export declare const x: any[]\n' }
    expect(broken('core', { declarations })).toEqual(['no any in declarations: says `any`'])
  })

  test('a type of ws that a user can reach, and not one that stays inside', () => {
    const sources = { 'src/a.ts': OPENING, 'src/b.ts': OPENING }
    const declarations = {
      'dist/index.d.ts': "export type { A } from './a.ts'\n",
      'dist/a.d.ts': "export type A = import('ws').WebSocket\n",
      'dist/b.d.ts': "import type { Options } from 'opossum'\nexport type B = Options\n",
    }
    expect(broken('websocket', { sources, declarations })).toEqual([
      'no foreign type in declarations: names types of ws',
    ])
  })

  test('a declaration whose source is gone', () => {
    expect(broken('core', { declarations: gone('old') })).toEqual([
      'nothing stale in dist: has no source: run `npm run clean` and build',
    ])
  })

  test('an entry that was not built', () => {
    const unbuilt = { ...packageOf('core', {}), declarations: [] }
    expect(judge([unbuilt]).map(({ message }) => message)).toEqual(['is missing: build first'])
  })
})

test('a file between aim and limit is a note, not a breach', () => {
  const sources = { 'src/queue/a.ts': lines(251) }
  expect(broken('core', { sources, declarations: gone('queue/a') })).toEqual([])
  expect(tallFiles(packageOf('core', { sources })).map(({ message }) => message)).toEqual([
    '251 lines, aim 250',
  ])
})

test('the figures count files, functions, and tests per code', () => {
  const sources = { 'src/index.ts': lines(10), 'src/a.ts': lines(30), 'src/b.ts': lines(20) }
  const tests = { 'src/a.test.ts': lines(120) }
  expect(figures([packageOf('core', { sources, tests })])).toEqual({
    files: 3,
    median: 20,
    p90: 30,
    largest: 30,
    longestFunction: 0,
    code: 60,
    testsPerCode: 2,
  })
})
