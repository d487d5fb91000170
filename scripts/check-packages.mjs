// Packs every package as it would be published and checks what a user gets: the manifest, the types and the code.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installConsumer, runConsumer, typeCheckConsumer } from './packages/consumer.mjs'
import { packPackages } from './packages/pack.mjs'
import { checkFiles, checkLockfile, checkManifest, checkPages } from './packages/published.mjs'
import { run } from './packages/run.mjs'
import { root } from './source/workspace.mjs'

const tool = (name, args) => run(join(root, 'node_modules/.bin', name), args, root)

checkLockfile(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8'))

const directory = mkdtempSync(join(tmpdir(), 'bus-pack-'))
try {
  const tarballs = packPackages(root, join(directory, 'tarballs'))
  for (const { name, manifest, file } of tarballs) {
    checkManifest(manifest)
    const files = run('tar', ['tzf', file], root).trim().split('\n')
    checkFiles(name, files)
    run('tar', ['xzf', file, '-C', directory], root)
    checkPages(name, files, (path) => readFileSync(join(directory, path), 'utf8'))
    rmSync(join(directory, 'package'), { recursive: true })
    tool('publint', [file, '--strict'])
    tool('attw', [file, '--profile', 'esm-only', '--format', 'ascii'])
  }
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
