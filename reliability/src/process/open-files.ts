/** Open files: how many a process may have. */
import { execFileSync } from 'node:child_process'

/** Node raises the soft limit to the hard one, and the processes that it starts inherit that. @returns `Infinity` where nothing limits it */
export function maxOpenFiles(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
  return limit === 'unlimited' ? Infinity : Number(limit)
}
