/** A project of a user: installs the packed packages, compiles against them and runs them. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.mjs'

const MODULES = ['nodenext', 'bundler']

/** Copies the fixture and installs it with the tarballs in place of what a registry would give. */
export function installConsumer(root, directory, tarballs) {
  cpSync(join(root, 'fixtures/consumer'), directory, { recursive: true })
  const file = join(directory, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  for (const { name, file: tarball } of tarballs) {
    manifest.dependencies[name] = `file:${tarball}`
  }
  manifest.overrides = Object.fromEntries(tarballs.map(({ name }) => [name, `$${name}`]))
  writeFileSync(file, JSON.stringify(manifest))
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline']
  run('npm', ['install', ...quiet], directory)
}

/** Compiles the consumer, libraries included, under both ways of resolving modules. */
export function typeCheckConsumer(root, directory) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  for (const name of MODULES) {
    run(process.execPath, [tsc, '-p', `tsconfig.${name}.json`], directory)
  }
}

/** Runs what was compiled as an ES module, and its twin that uses `require`. */
export function runConsumer(directory) {
  for (const program of ['dist/main.js', 'require.cjs']) {
    const answer = run(process.execPath, [program], directory).trim()
    if (!answer.endsWith('ok')) throw new Error(`${program} answered "${answer}"`)
  }
}
