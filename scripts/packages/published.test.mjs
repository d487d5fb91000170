import { expect, test } from 'vitest'
import { checkFiles, checkLockfile, checkManifest } from './published.mjs'
import { run } from './run.mjs'

const FILES = ['package/LICENSE', 'package/README.md', 'package/dist/index.js']

test('a lockfile that names a host is refused', () => {
  expect(() => checkLockfile('ws@8.23.0:\n  resolution: {integrity: sha512-x}')).not.toThrow()
  expect(() => checkLockfile('tarball: https://example.org/ws.tgz')).toThrow('https://example.org')
})

test.each(['workspace:^', 'catalog:', 'file:../core'])(
  'a manifest that says %s is refused',
  (range) => {
    const manifest = { name: '@bus/x', dependencies: { ws: range } }
    expect(() => checkManifest(manifest)).toThrow(`@bus/x still says "${range}"`)
  },
)

test('a manifest with plain ranges is accepted', () => {
  expect(() => checkManifest({ name: '@bus/x', dependencies: { ws: '^8.23.0' } })).not.toThrow()
})

test('a tarball without a licence, or with tests or build state, is refused', () => {
  expect(() => checkFiles('@bus/x', FILES)).not.toThrow()
  expect(() => checkFiles('@bus/x', FILES.slice(1))).toThrow('without package/LICENSE')
  for (const file of ['package/src/a.test.ts', 'package/dist/.tsbuildinfo', 'package/test/a.ts']) {
    expect(() => checkFiles('@bus/x', [...FILES, file])).toThrow(`should not hold ${file}`)
  }
})

test('a program that fails is an error with what it printed', () => {
  const script = 'console.log("said"); console.error("warned"); process.exit(3)'
  expect(() => run(process.execPath, ['-e', script], '.')).toThrow(/ended with 3\nsaid\nwarned/)
  expect(run(process.execPath, ['-e', 'console.log("said")'], '.')).toBe('said\n')
})
