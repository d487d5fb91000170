/** Reads a V8 CPU profile: which functions had the processor themselves, not counting those they called. */

/** A function and the time that it had. */
export interface SelfTime {
  /** Name, file and line. */
  readonly where: string
  /** Its part of all samples, idle ones included. */
  readonly share: number
  readonly ms: number
}

/** As `node --cpu-prof` writes it. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
  }[]
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

/** The functions with the most time of their own, the first the most. */
export function topSelfTimes(json: string, limit: number): SelfTime[] {
  const { nodes, samples, timeDeltas } = JSON.parse(json) as CpuProfile
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const times = new Map<string, number>()
  let total = 0
  for (const [i, id] of samples.entries()) {
    const where = names.get(id) ?? ''
    const microseconds = timeDeltas[i] ?? 0
    total += microseconds
    times.set(where, (times.get(where) ?? 0) + microseconds)
  }
  return [...times]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, limit)
    .map(([where, time]) => ({ where, share: time / total, ms: time / 1_000 }))
}

function nameOf({
  functionName,
  url,
  lineNumber,
}: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  // What comes after the last of these says enough.
  const file = url.replace(/^.*\/(?:node_modules|packages|benchmarks)\//, '')
  return `${name} ${file}:${lineNumber + 1}`
}
