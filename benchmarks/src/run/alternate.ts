/** Runs the cases of a question in turn, round by round, so that a disturbance of the machine affects all of them. */
import type { Entry } from '../contenders/catalogue.ts'
import type { Row, Sample } from '../report/finding.ts'
import { whyMissing, type Plan } from './plan.ts'

/** One contender's part in a question. */
export interface Case {
  readonly name: string
  readonly note: string
  /** Why it cannot run. */
  readonly missing?: string | undefined
  run(): Promise<Sample>
}

/** A case for each contender; one whose server is not installed will be reported as missing. */
export function casesOf(entries: readonly Entry[], run: (entry: Entry) => Promise<Sample>): Case[] {
  return entries.map((entry) => ({
    name: entry.name,
    note: entry.note,
    missing: whyMissing(entry),
    run: async () => await run(entry),
  }))
}

/** Measures every case once a round. One that fails is out, and its row says why. */
export async function alternate(cases: readonly Case[], plan: Plan, title: string): Promise<Row[]> {
  const rows = cases.map(({ name, note, missing }) => ({
    name,
    note,
    problem: missing,
    samples: [] as Sample[],
  }))
  for (let round = 1; round <= plan.rounds; round++) {
    for (let i = 0; i < cases.length; i++) {
      // The order changes, so that no case always follows the same one.
      const index = (i + round - 1) % cases.length
      const [one, row] = [cases[index], rows[index]]
      if (one === undefined || row === undefined || row.problem !== undefined) continue
      const line = `${title} · round ${round}/${plan.rounds} · ${one.name}: `
      try {
        const sample = await one.run()
        row.samples.push(sample)
        plan.progress(line + describe(sample))
      } catch (error) {
        row.problem = `failed: ${error instanceof Error ? error.message : String(error)}`
        plan.progress(line + row.problem)
      }
    }
  }
  return rows
}

function describe(sample: Sample): string {
  return Object.entries(sample)
    .map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`)
    .join(', ')
}
