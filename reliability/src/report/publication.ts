/** The publication: one file with the last figures of every suite, each with where they come from. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SuiteOptions, SuiteReport } from '../suites/suite.ts'
import type { Origin } from './origin.ts'
import { draw } from './plot.ts'

/** The widest line into which an object or a list is put whole. */
const LINE = 118

/** What is published of one suite. */
export interface Published {
  readonly ok: boolean
  readonly size: SuiteOptions['size']
  readonly seed: number
  /** `YYYY-MM-DD`. */
  readonly date: string
  readonly seconds: number
  readonly origin: Origin
  /** What was got, and what it had to be. */
  readonly bars: Readonly<Record<string, string>>
  readonly figures: Readonly<Record<string, unknown>>
}

/** A suite that has run. */
export interface Finished {
  readonly name: string
  readonly report: SuiteReport
  readonly seconds: number
}

/** What a suite has to show, as it is published. */
export function entryOf(
  { report, seconds }: Finished,
  { seed, size }: SuiteOptions,
  origin: Origin,
  now: Date,
): Published {
  const { bars, figures } = report
  return {
    ok: bars.every((bar) => bar.ok),
    size,
    seed,
    date: now.toISOString().slice(0, 10),
    seconds: Math.round(seconds),
    origin,
    bars: Object.fromEntries(
      bars.map(({ name, want, got, ok }) => [name, `${got} ${ok ? '' : 'instead of '}${want}`]),
    ),
    figures,
  }
}

/** Writes the plots of the suites that have one beside the file, into a folder with its name. */
export function plot(path: string, finished: readonly Finished[]): void {
  const folder = path.replace(/\.json$/, '')
  for (const { name, report } of finished) {
    if (report.plot === undefined) continue
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${name}.svg`), draw(report.plot))
  }
}

/** Puts the suites into the file. Those that did not run keep what they have. */
export function publish(path: string, entries: Readonly<Record<string, Published>>): void {
  const before: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  writeFileSync(path, `${print({ ...(before as object), ...entries })}\n`)
}

/** JSON in which whatever fits into a line stands in one. */
function print(value: unknown, indent = ''): string {
  const whole = JSON.stringify(value, undefined, 1).replaceAll(/\n */g, ' ')
  const isFlat = indent !== '' && indent.length + whole.length <= LINE
  if (isFlat || typeof value !== 'object' || value === null) return whole
  const inner = `${indent}  `
  const isList = Array.isArray(value)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${isList ? '' : `${JSON.stringify(key)}: `}${print(member, inner)}`)
  const [open, close] = isList ? '[]' : '{}'
  return `${open}\n${inner}${members.join(`,\n${inner}`)}\n${indent}${close}`
}
