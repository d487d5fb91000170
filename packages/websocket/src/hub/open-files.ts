/** Open files: how many sockets a process may have, so that a flood of them leaves it the files that it needs. */
import { readFileSync } from 'node:fs'
import type { HubServer } from './options.ts'

/** Files that are not for connections: those of the application, name look-ups, modules that are still to be loaded. */
const RESERVED = 256

/**
 * Lets the server take fewer connections than the process may have files open: without that the process could open nothing
 * more, and every accept would fail. What comes beyond is closed at once.
 *
 * @param onDrop - called for each
 */
export function leaveOpenFiles(server: HubServer, onDrop: () => void): void {
  const limit = openFileLimit()
  if (limit === Infinity) return
  server.maxConnections = Math.max(1, limit - RESERVED)
  server.on('drop', onDrop)
}

/** Where the system does not say, there is no limit to keep. */
function openFileLimit(): number {
  try {
    const [, limit] =
      /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return limit === undefined ? Infinity : Number(limit)
  } catch {
    return Infinity
  }
}
