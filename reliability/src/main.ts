/** Runs the suites and prints one report; the exit code says whether every bar was cleared. */
import { inspect } from 'node:util'
import { parseArguments, USAGE, type Arguments } from './arguments.ts'
import { exactly } from './report/bar.ts'
import { Mishaps } from './report/mishaps.ts'
import { findOrigin } from './report/origin.ts'
import { entryOf, plot, publish, type Finished, type Published } from './report/publication.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suites/suite.ts'

const MISHAPS = 'unhandled rejections, uncaught exceptions, warnings'

async function run({ suites, seed, size, out }: Arguments): Promise<boolean> {
  const mishaps = new Mishaps()
  const finished: Finished[] = []
  for (const suite of suites) finished.push(await runWatched(suite, { seed, size }, mishaps))
  const bars = finished.flatMap(({ name, report }) =>
    report.bars.map((bar) => ({ ...bar, name: `${name}: ${bar.name}` })),
  )
  const figures = Object.fromEntries(finished.map(({ name, report }) => [name, report.figures]))
  const ok = bars.every((bar) => bar.ok)
  const origin = findOrigin()
  const report = { ok, seed, size, ...origin, bars, figures, mishaps: mishaps.seen }
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
  if (out !== undefined) {
    const now = new Date()
    const entries = finished.map((one) => [one.name, entryOf(one, { seed, size }, origin, now)])
    plot(out, finished)
    publish(out, Object.fromEntries(entries) as Record<string, Published>)
  }
  if (!ok) process.stderr.write(`Missed. Repeat it with ${again(seed, size, suites)}\n`)
  return ok
}

/** What must not happen anywhere in the process must not happen in any suite. */
async function runWatched(
  suite: Suite,
  options: SuiteOptions,
  mishaps: Mishaps,
): Promise<Finished> {
  const startedAt = performance.now()
  const before = mishaps.seen.length
  const { bars, ...report } = await runToItsEnd(suite, options)
  const bar = exactly(MISHAPS, mishaps.seen.length - before, 0)
  const seconds = (performance.now() - startedAt) / 1_000
  return { name: suite.name, report: { ...report, bars: [...bars, bar] }, seconds }
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
