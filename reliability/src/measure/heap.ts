/** The heap of this process, after everything that is garbage is gone. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What a process holds. */
export interface Holdings {
  /** Bytes of live objects, after two collections. */
  readonly heapBytes: number
  /** Bytes of buffers. */
  readonly externalBytes: number
  readonly rssBytes: number
  /** What keeps the process alive, by kind, as Node counts it. */
  readonly handles: Readonly<Record<string, number>>
}

/** Collects twice: what the first collection finalises is only gone after the second. */
export async function takeStock(): Promise<Holdings> {
  const gc = globalThis.gc ?? exposeGc()
  // Node opens these on first use, and a pipe is a handle: so they are not used between two measurements.
  void [process.stdout, process.stderr]
  for (let i = 0; i < 2; i++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  const handles: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1
  return { heapBytes: heapUsed, externalBytes: external, rssBytes: rss, handles }
}

/** For a process that was started without `--expose-gc`. */
function exposeGc(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
