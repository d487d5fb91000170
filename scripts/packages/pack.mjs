/** The packages as they would be published: packed by pnpm, which writes plain versions in place of `workspace:`. */
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.mjs'

/** Packs every package into a directory, and returns the name, the manifest and the file of each. */
export function packPackages(root, directory) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const pnpm = ['--yes', packageManager.split('+')[0]]
  mkdirSync(directory, { recursive: true })
  const filter = ['-r', '--filter', './packages/*']
  run('npx', [...pnpm, ...filter, 'pack', '--pack-destination', directory], root)
  return readdirSync(directory).map((name) => {
    const file = join(directory, name)
    const manifest = JSON.parse(run('tar', ['xzOf', file, 'package/package.json'], root))
    return { name: manifest.name, manifest, file }
  })
}
