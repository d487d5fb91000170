/** Brokers that are programs of their own: finds them, starts them, and ends them with this process. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'

/** Where distributions put servers although they are on no user's path. */
const MORE_PLACES = ['/usr/sbin', '/usr/local/sbin']

/** The program's full path; `undefined` where it is not installed. */
export function findProgram(name: string): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_PLACES]
  return places
    .filter((place) => place !== '')
    .map((place) => join(place, name))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A native server that has said that it is up. */
export interface NativeServer {
  readonly pid: number
  /** What it printed until then. */
  readonly output: string
}

/** Starts a server and resolves once it prints `isUp`. */
export async function startProgram(
  name: string,
  args: readonly string[],
  isUp: string,
): Promise<NativeServer> {
  const path = findProgram(name)
  if (path === undefined) throw new Error(`${name} is not installed`)
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  process.once('exit', () => child.kill('SIGKILL'))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      if (output.includes(isUp)) resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}: ${output}`)))
  })
  // Whatever it prints later must not fill the pipe, nor be kept.
  for (const stream of [child.stdout, child.stderr]) stream.removeAllListeners('data').resume()
  if (child.pid === undefined) throw new Error(`${name} has no process id`)
  return { pid: child.pid, output }
}

/** A port that is free at this moment, for servers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('There is no free port')
  return address.port
}
