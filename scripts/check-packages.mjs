// Packs every package as it would be published and checks what a user gets: the manifest, the types and the code.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installConsumer, runConsumer, typeCheckConsumer } from './packages/consumer.mjs'
import { checkFiles, checkLockfile, checkManifest } from './packages/published.mjs'
import { run } from './packages/run.mjs'
import { root } from './source/workspace.mjs'

const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const pnpm = ['--yes', packageManager.split('+')[0]]
const tool = (name, args) => run(join(root, 'node_modules/.bin', name), args, root)

checkLockfile(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8'))

const directory = mkdtempSync(join(tmpdir(), 'bus-pack-'))
try {
  const filter = ['-r', '--filter', './packages/*']
  run('npx', [...pnpm, ...filter, 'pack', '--pack-destination', directory], root)
  const tarballs = readdirSync(directory).map((name) => {
    const file = join(directory, name)
    const manifest = JSON.parse(run('tar', ['xzOf', file, 'package/package.json'], root))
    checkManifest(manifest)
    checkFiles(manifest.name, run('tar', ['tzf', file], root).trim().split('\n'))
    tool('publint', [file, '--strict'])
    tool('attw', [file, '--profile', 'esm-only', '--format', 'ascii'])
    return { name: manifest.name, file }
  })
  const consumer = join(directory, 'consumer')
  installConsumer(root, consumer, tarballs)
  typeCheckConsumer(root, consumer)
  runConsumer(consumer)
  console.log(
    `${tarballs.length} packages pack, type-check, import and require as a user gets them`,
  )
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}
