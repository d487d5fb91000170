/** The origin of a report: what was run, on what. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'

/** Enough to run the same again. */
export interface Origin {
  /** Of the working tree, with `+` when it has changes; `unknown` outside of one. */
  readonly commit: string
  readonly versions: Readonly<Record<string, string>>
  readonly cores: number
}

/** Looks at the workspace and the machine. */
export function findOrigin(): Origin {
  return {
    commit: commit(),
    versions: {
      node: process.version,
      ws: versionOf('ws'),
      opossum: versionOf('opossum'),
      '@bus/core': versionOf('@bus/core'),
      '@bus/websocket': versionOf('@bus/websocket'),
    },
    cores: cpus().length,
  }
}

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}

/** Of a package of this workspace, or of one that its transport uses. */
function versionOf(name: string): string {
  const own = createRequire(import.meta.url)
  const require = name.startsWith('@bus/')
    ? own
    : createRequire(own.resolve('@bus/websocket/package.json'))
  const paths = require.resolve.paths(name) ?? []
  for (const path of paths) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(`${path}/${name}/package.json`, 'utf8'))
      return String((manifest as { version?: unknown }).version)
    } catch {
      // Not there: the next path may have it.
    }
  }
  return 'unknown'
}
