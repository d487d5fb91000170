/** What a process has used so far, as the kernel accounts it. */
import { readFileSync } from 'node:fs'

/** Processor time since the start, and memory now. */
export interface Usage {
  readonly cpuMs: number
  readonly rssBytes: number
}

/** Ticks a second in `/proc`; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/**
 * The usage of a process, of any child on Linux and of this process elsewhere.
 *
 * @throws where the system does not tell
 */
export function usageOf(pid: number): Usage {
  if (pid === process.pid) {
    const { user, system } = process.cpuUsage()
    return { cpuMs: (user + system) / 1_000, rssBytes: process.memoryUsage.rss() }
  }
  if (process.platform !== 'linux') {
    throw new Error(`The usage of another process is only known on Linux, not ${process.platform}`)
  }
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name of the program, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return { cpuMs: (ticks * 1_000) / TICKS_PER_SECOND, rssBytes: Number(rss) * 1_024 }
}
