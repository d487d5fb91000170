/** The command: asks each question, prints its table, and writes what was asked for. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { USAGE, parseArguments, type Arguments } from './arguments.ts'
import { CATALOGUE } from './contenders/catalogue.ts'
import { ASK } from './questions/catalogue.ts'
import { QUESTION_NAMES } from './questions/names.ts'
import type { Finding } from './report/finding.ts'
import { describeMachine, printMachine } from './report/machine.ts'
import { plotOf } from './report/plot.ts'
import { tableOf } from './report/table.ts'
import { planFor } from './run/plan.ts'

const PLOTS = fileURLToPath(new URL('../../docs/performance', import.meta.url))

try {
  const args = parseArguments(process.argv.slice(2))
  if (args.help) process.stdout.write(USAGE)
  else process.exitCode = await run(args)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}

/** Resolves with the exit code: 1 where a contender failed. */
async function run(args: Arguments): Promise<number> {
  const machine = describeMachine()
  process.stdout.write(`${printMachine(machine)}\n\n`)
  const plan = planFor(args, (line) => process.stderr.write(`${line}\n`))
  const findings: Finding[] = []
  for (const question of args.only ?? QUESTION_NAMES) {
    for (const finding of await ASK[question](plan)) {
      findings.push(finding)
      process.stdout.write(`\n${tableOf(finding)}\n\n`)
    }
  }
  const { size, rounds } = plan
  const report = { at: new Date().toISOString(), size, rounds, machine, findings }
  if (args.json !== undefined) writeFileSync(args.json, `${JSON.stringify(report, undefined, 2)}\n`)
  if (args.plot) writePlots(findings, args.plotTo ?? PLOTS)
  const problems = findings.flatMap(({ rows }) => rows.map(({ problem }) => problem))
  return problems.some((problem) => problem?.startsWith('failed')) ? 1 : 0
}

function writePlots(findings: readonly Finding[], directory: string): void {
  mkdirSync(directory, { recursive: true })
  const ours = new Set<string>(CATALOGUE.flatMap((one) => (one.side === 'ours' ? one.name : [])))
  for (const finding of findings) {
    const svg = plotOf(finding, (name) => ours.has(name))
    if (svg !== undefined) writeFileSync(join(directory, `${finding.name}.svg`), svg)
  }
}
