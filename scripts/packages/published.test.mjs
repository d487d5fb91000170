import { expect, test } from 'vitest'
import { checkFiles, checkLockfile, checkManifest, checkPages } from './published.mjs'
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

test('a page or a TSDoc comment that links to what the tarball does not hold is refused', () => {
  const texts = {
    'package/README.md': '[errors](docs/errors.md#codes) [site](https://example.org/x)',
    'package/docs/errors.md': '# Codes',
    'package/dist/index.d.ts': '/** Opens. @see ../docs/errors.md */\nexport {}',
  }
  const check = (more) => () => {
    const all = { ...texts, ...more }
    checkPages('@bus/x', Object.keys(all), (path) => all[path])
  }
  expect(check({})).not.toThrow()
  expect(check({ 'package/README.md': '[core](../core)' })).toThrow(
    'package/README.md:1  ../core does not exist',
  )
  expect(check({ 'package/dist/index.d.ts': '/**\n * @see ../../docs/a.md\n */' })).toThrow(
    'package/dist/index.d.ts:2  ../../docs/a.md does not exist',
  )
})

test('a program that fails is an error with what it printed', () => {
  const script = 'console.log("said"); console.error("warned"); process.exit(3)'
  expect(() => run(process.execPath, ['-e', script], '.')).toThrow(/ended with 3\nsaid\nwarned/)
  expect(run(process.execPath, ['-e', 'console.log("said")'], '.')).toBe('said\n')
})
