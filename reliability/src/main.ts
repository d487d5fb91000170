/** Runs the suites and prints one report; the exit code says whether every bar was cleared. */
import { inspect } from 'node:util'
import { parseArguments, USAGE, type Arguments } from './arguments.ts'
import { exactly, type Bar } from './report/bar.ts'
import { Mishaps } from './report/mishaps.ts'
import { findOrigin } from './report/origin.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suites/suite.ts'

async function run({ suites, seed, size }: Arguments): Promise<boolean> {
  const mishaps = new Mishaps()
  const figures: Record<string, unknown> = {}
  const bars: Bar[] = []
  for (const suite of suites) {
    const report = await runToItsEnd(suite, { seed, size })
    figures[suite.name] = report.figures
    bars.push(...report.bars.map((bar) => ({ ...bar, name: `${suite.name}: ${bar.name}` })))
  }
  bars.push(exactly('unhandled rejections, uncaught exceptions, warnings', mishaps.seen.length, 0))
  const ok = bars.every((bar) => bar.ok)
  const report = { ok, seed, size, ...findOrigin(), bars, figures, mishaps: mishaps.seen }
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
  if (!ok) process.stderr.write(`Missed. Repeat it with ${again(seed, size, suites)}\n`)
  return ok
}

/** A suite that throws has missed a bar; those behind it still run. */
async function runToItsEnd(suite: Suite, options: SuiteOptions): Promise<SuiteReport> {
  try {
    return await suite.run(options)
  } catch (error) {
    return { figures: { error: inspect(error) }, bars: [exactly('ran to its end', 0, 1)] }
  }
}

function again(seed: number, size: string, suites: Arguments['suites']): string {
  const only = suites.map(({ name }) => ` --only ${name}`).join('')
  return `--seed ${seed}${size === 'full' ? '' : ` --${size}`}${only}`
}

/** `undefined` when the command line is wrong, which was said. */
function readArguments(): Arguments | undefined {
  try {
    return parseArguments(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${String(error)}\n`)
    return undefined
  }
}

const wanted = readArguments()
if (wanted === undefined) process.exitCode = 2
else if (wanted.help) process.stdout.write(USAGE)
else process.exitCode = (await run(wanted)) ? 0 : 1
