/** What the figures were measured on. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { findProgram } from '../contenders/native-server.ts'

/** The machine and the versions. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  /** Load average of the last minute when the run began. */
  readonly loadBefore: number
  readonly versions: Readonly<Record<string, string>>
}

const NATIVE = ['nats-server', 'redis-server']

/** Looks at the machine now. */
export function describeMachine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch} ${release()}`,
    node: process.version,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
    versions: { ...packageVersions(), ...nativeVersions() },
  }
}

/** More than this share of the processors was busy already: others' work is in the figures. */
function isBusy({ loadBefore, cores }: Machine): boolean {
  return loadBefore > cores / 4
}

/** In a line or two. */
export function printMachine(machine: Machine): string {
  const { cpu, cores, memoryGiB, system, node, loadBefore, versions } = machine
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const busy = isBusy(machine) ? ' — busy: take the figures as provisional' : ''
  return [
    `${cores} × ${cpu}, ${memoryGiB} GiB, ${system}, Node ${node}, load ${loadBefore}${busy}`,
    list.join(', '),
  ].join('\n')
}

function packageVersions(): Record<string, string> {
  const root = new URL('../../', import.meta.url)
  const manifest = readJson(new URL('package.json', root)) as {
    dependencies: Record<string, string>
  }
  const names = Object.keys(manifest.dependencies)
  return Object.fromEntries(
    names.map((name) => {
      const file = new URL(`node_modules/${name}/package.json`, root)
      return [name, (readJson(file) as { version: string }).version]
    }),
  )
}

function readJson(file: URL): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function nativeVersions(): Record<string, string> {
  return Object.fromEntries(
    NATIVE.map((name): [string, string] => {
      const path = findProgram(name)
      if (path === undefined) return [name, 'not installed']
      const output = execFileSync(path, ['--version'], { encoding: 'utf8' })
      return [name, /\d+\.\d+\.\d+/.exec(output)?.[0] ?? output.trim()]
    }),
  )
}
