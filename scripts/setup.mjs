// Puts the workspace in order with nothing but Node and npm: runs the pnpm that package.json
// names, unless what is installed already matches pnpm-lock.yaml.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const root = new URL('../', import.meta.url)
const read = (name) => {
  try {
    return readFileSync(new URL(name, root), 'utf8')
  } catch {
    return undefined
  }
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`This workspace needs Node 20.19 or later; this is ${process.version}.`)
  process.exit(1)
}

if (read('node_modules/.pnpm/lock.yaml') !== read('pnpm-lock.yaml')) {
  const pnpm = JSON.parse(read('package.json')).packageManager.split('+')[0]
  console.error(`Installing with ${pnpm} …`)
  // Corepack and global installs are not needed: npx brings pnpm as an ordinary package.
  const { status, error } = spawnSync('npx', ['--yes', pnpm, 'install', '--frozen-lockfile'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (error) throw error
  process.exit(status ?? 1)
}
