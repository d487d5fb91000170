/** The command line. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { CATALOGUE } from './suites/catalogue.ts'
import type { Suite, SuiteOptions } from './suites/suite.ts'

/** What the command line asks for. */
export interface Arguments extends SuiteOptions {
  readonly help: boolean
  readonly suites: readonly Suite[]
  /** Where the figures are published, if they are. */
  readonly out: string | undefined
}

/** What `--help` prints. */
export const USAGE: string = `Breaks links and hubs under load and accounts for every event. The report is JSON on stdout.

  --quick             a tenth of everything
  --smoke             hardly anything: shows that it runs
  --seed N            repeat the choices of the run with this seed (default: drawn at random)
  --only NAME         this suite only; may be given again
  --out FILE          put the figures into this file; what it has of other suites stays
  --rough             do so although it is no full run; the file says so
  --help              print this

Suites:
${CATALOGUE.map(({ name, about }) => `  ${name.padEnd(20)}${about}\n`).join('')}`

/** @throws `TypeError` for an option or a value that is not known */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      seed: { type: 'string' },
      only: { type: 'string', multiple: true },
      out: { type: 'string' },
      rough: { type: 'boolean', default: false },
    },
  })
  const { quick, smoke, help, only, seed, out, rough } = values
  const size = smoke ? 'smoke' : quick ? 'quick' : 'full'
  if (out !== undefined && size !== 'full' && !rough) {
    throw new TypeError(`Expected --rough with --out and --${size}: only full runs are published`)
  }
  return {
    help,
    size,
    out,
    seed: seed === undefined ? randomInt(2 ** 31) : parseSeed(seed),
    suites: only === undefined ? CATALOGUE : only.map(find),
  }
}

function find(name: string): Suite {
  const suite = CATALOGUE.find((one) => one.name === name)
  if (suite !== undefined) return suite
  const names = CATALOGUE.map((one) => one.name).join(', ')
  throw new TypeError(`Expected --only to name one of ${names}, got ${name}`)
}

function parseSeed(text: string): number {
  const seed = Number(text)
  if (text !== '' && Number.isSafeInteger(seed) && seed >= 0) return seed
  throw new TypeError(`Expected --seed to be an integer ≥ 0, got ${text}`)
}
