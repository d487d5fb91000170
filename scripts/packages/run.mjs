/** Runs a program to its end; when it fails, what it said is part of the error. */
import { spawnSync } from 'node:child_process'

const LIMIT_MS = 300_000

/** Runs a program in a directory, for five minutes at most, and returns what it printed. */
export function run(file, args, cwd) {
  const { status, signal, error, stdout, stderr } = spawnSync(file, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
    timeout: LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  })
  if (error !== undefined) throw error
  if (status === 0) return stdout
  throw new Error(`${file} ${args.join(' ')} ended with ${status ?? signal}\n${stdout}${stderr}`)
}
