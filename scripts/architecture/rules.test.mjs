import { describe, expect, test } from 'vitest'
import { readFacts } from '../source/source-file.mjs'
import { layers } from './imports.mjs'
import { judge, REPORTS, RULES } from './rules.mjs'
import { figures } from './shape.mjs'

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
    manifest: { name: `@bus/${name}`, exports: { '.': { '@bus/source': './src/index.ts' } } },
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

/** A module of so many lines. */
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
    'core that imports another package',
    'core',
    { 'src/bus/a.ts': `${OPENING}import type { X } from '@bus/testing'\n` },
    'imports between packages: core must not import @bus/testing',
  ],
  [
    'testing that imports a transport',
    'testing',
    { 'src/a.ts': `${OPENING}export * from '@bus/websocket/hub'\n` },
    'imports between packages: testing must not import @bus/websocket',
  ],
  [
    'a library that the package is not meant to use',
    'websocket',
    { 'src/client/a.ts': `${OPENING}const x = await import('lodash/fp')\n` },
    'imports between packages: websocket must not import lodash',
  ],
  [
    'a path into another package',
    'websocket',
    { 'src/client/a.ts': `${OPENING}import '../../../core/src/bus/bus.ts'\n` },
    'no files of other packages: reaches out of its package: packages/core/src/bus/bus.ts',
  ],
  [
    "another package's sources by name",
    'websocket',
    { 'src/client/a.ts': `${OPENING}import '@bus/core/src/bus/bus.ts'\n` },
    'no files of other packages: reaches into another package: @bus/core/src/bus/bus.ts',
  ],
  [
    'a socket that knows the client',
    'websocket',
    { 'src/socket/a.ts': `${OPENING}import type { X } from '../client/options.ts'\n` },
    'layers of a package: socket must not import client, which is above it',
  ],
  [
    'a hub that knows the client',
    'websocket',
    { 'src/hub/a.ts': `${OPENING}export { x } from '../client/x.ts'\n` },
    'layers of a package: hub must not import client, which is beside it',
  ],
  [
    'a folder in a folder that knows one above it',
    'websocket',
    { 'src/client/link/a.ts': `${OPENING}import type { X } from '../reconnect/x.ts'\n` },
    'layers of a package: client/link must not import client/reconnect, which is above it',
  ],
  [
    'a folder without a layer',
    'websocket',
    { 'src/client/attic/a.ts': `${OPENING}export const a = 1\n` },
    'layers of a package: the folder client/attic has no layer in scripts/architecture/architecture.mjs',
  ],
  [
    'a mock server that uses a codec',
    'testing',
    { 'src/mock-server/a.ts': `${OPENING}import { jsonCodec } from '@bus/core'\n` },
    'literal frames in the mock server: the mock server must not use a codec: jsonCodec',
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
      'no files of other packages: reaches out of its package: packages/core/src/bus/bus.ts',
    ])
  })

  test('a package that the architecture does not name', () => {
    expect(broken('nats', {})).toEqual([
      'imports between packages: has no entry in scripts/architecture/architecture.mjs',
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

  test('a public export without a comment that an index imports first', () => {
    const sources = {
      'src/index.ts': "import { ring } from './ring.ts'\nexport { ring }\n",
      'src/ring.ts': `${OPENING}\nexport const ring = 1\n`,
    }
    expect(broken('core', { sources, declarations: gone('ring') })).toEqual([
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

  test('declarations whose source is gone', () => {
    const message = (what) => `nothing stale in dist: ${what}: run \`npm run clean\` and build`
    expect(broken('core', { declarations: gone('old') })).toEqual([
      message('packages/core/dist/old.d.ts has no source'),
    ])
    const declarations = { ...gone('old'), ...gone('older'), ...gone('oldest') }
    expect(broken('core', { declarations })).toEqual([
      message('packages/core/dist/old.d.ts has no source, and 2 others have none'),
    ])
  })

  test('an entry that was not built', () => {
    const unbuilt = { ...packageOf('core', {}), declarations: [] }
    expect(judge([unbuilt]).map(({ message }) => message)).toEqual(['is missing: build first'])
  })
})

test('an exception allows one import against the layers, and no other', () => {
  const architecture = {
    core: { layers: { '.': [['bus'], ['queue']] }, exceptions: ['queue -> bus'] },
  }
  const allowed = packageOf('core', {
    sources: { 'src/queue/a.ts': "import '../bus/b.ts'\n", 'src/bus/b.ts': '' },
  })
  expect(layers(allowed, [], architecture)).toEqual([])
  const { exceptions: _without, ...core } = architecture.core
  expect(layers(allowed, [], { core }).map(({ message }) => message)).toEqual([
    'queue must not import bus, which is above it',
  ])
})

describe('the reports, and the rules about names, name', () => {
  const aboutNames = Object.fromEntries(
    ['one meaning for a public name', 'one meaning for a type', 'words of the glossary'].map(
      (rule) => [rule, RULES[rule]],
    ),
  )
  const reported = (...packages) =>
    judge(packages, { ...aboutNames, ...REPORTS }).map(({ rule, file, line, message }) =>
      [rule, line === undefined ? file : `${file}:${line}`, message].join(': '),
    )

  test('a public name that two packages give to two declarations', () => {
    const core = packageOf('core', { sources: { 'src/index.ts': 'export interface log {}\n' } })
    const sources = {
      'src/index.ts': "export { hubLog as log } from './hub-log.ts'\n",
      'src/hub-log.ts': `${OPENING}\n/** A log. */\nexport const hubLog = 1\n`,
    }
    expect(reported(core, packageOf('websocket', { sources }))).toEqual([
      'one meaning for a public name: packages/websocket/src/hub-log.ts:4: log is also exported at packages/core/src/index.ts:1',
    ])
  })

  test('a public name that two entries of one package give to two declarations', () => {
    const item = packageOf('websocket', {
      sources: {
        'src/index.ts': 'export interface log {}\n',
        'src/hub/index.ts': 'export interface log {}\n',
      },
    })
    item.manifest.exports['./hub'] = { '@bus/source': './src/hub/index.ts' }
    expect(reported(item)).toEqual([
      'one meaning for a public name: packages/websocket/src/hub/index.ts:1: log is also exported at packages/websocket/src/index.ts:1',
    ])
  })

  test('a type with the name of another one that is not public', () => {
    const core = packageOf('core', {
      sources: { 'src/bus/session.ts': 'export class Session {}\n' },
    })
    const websocket = packageOf('websocket', {
      sources: { 'src/hub/session.ts': 'export interface Session {}\n' },
    })
    expect(reported(core, websocket)).toEqual([
      'one meaning for a type: packages/websocket/src/hub/session.ts:1: Session is also exported at packages/core/src/bus/session.ts:1',
    ])
  })

  test('a name with a word that the glossary replaced', () => {
    const core = packageOf('core', {
      sources: {
        'src/bus/a.ts':
          'export class RateGate {}\nexport const closeRooms = 1\nexport const PLACES = 1\n',
        'src/bus/b.ts': 'export class Aggregate {}\nexport const returned = 1\n',
      },
    })
    expect(reported(core)).toEqual([
      'words of the glossary: packages/core/src/bus/a.ts:1: RateGate says gate',
      'words of the glossary: packages/core/src/bus/a.ts:2: closeRooms says rooms',
    ])
  })

  test('no name that is exported again, in whichever way', () => {
    const core = packageOf('core', { sources: { 'src/index.ts': 'export interface Log {}\n' } })
    const sources = {
      'src/index.ts': "export type { Log } from '@bus/core'\nexport { a } from './a.ts'\n",
      'src/a.ts': 'export const a = 1\n',
      'src/hub/index.ts':
        "import type { Log } from '@bus/core'\nexport type { Log }\nexport * from '../a.ts'\n",
    }
    const websocket = packageOf('websocket', { sources })
    websocket.manifest.exports['./hub'] = { '@bus/source': './src/hub/index.ts' }
    expect(reported(core, websocket)).toEqual([])
  })

  test('a small file that one file imports, not one that is long, shared or public', () => {
    const sources = {
      'src/index.ts': "export { open } from './open.ts'\n",
      'src/open.ts': "import './small.ts'\nimport './long.ts'\nimport './shared.ts'\n",
      'src/other.ts': "import './shared.ts'\n",
      'src/small.ts': lines(59),
      'src/long.ts': lines(60),
      'src/shared.ts': lines(10),
    }
    expect(reported(packageOf('core', { sources }))).toEqual([
      'small files: packages/core/src/small.ts: 59 lines, imported by packages/core/src/open.ts alone',
    ])
  })
})

test('the figures count files, lines, and tests per code', () => {
  const sources = { 'src/index.ts': lines(10), 'src/a.ts': lines(30), 'src/b.ts': lines(20) }
  const tests = { 'src/a.test.ts': lines(120) }
  expect(figures([packageOf('core', { sources, tests })])).toEqual({
    files: 3,
    median: 20,
    p90: 30,
    largest: 30,
    code: 60,
    testsPerCode: 2,
  })
})
