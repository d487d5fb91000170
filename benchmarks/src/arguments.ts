/** The command line. */
import { parseArgs } from 'node:util'
import { CATALOGUE } from './contenders/catalogue.ts'
import type { Size } from './run/size.ts'
import { QUESTION_NAMES, type QuestionName } from './questions/names.ts'

/** What the command line asks for. */
export interface Arguments {
  /** The others too, not only ours. */
  readonly peers: boolean
  readonly size: Size
  readonly help: boolean
  /** Draw plots into {@link Arguments.plotTo}. */
  readonly plot: boolean
  readonly plotTo: string | undefined
  /** Write everything to this file. */
  readonly json: string | undefined
  readonly rounds: number | undefined
  /** Ask these only. */
  readonly only: readonly QuestionName[] | undefined
  /** These only, in place of all. */
  readonly contenders: readonly string[] | undefined
}

/** What `--help` prints. */
export const USAGE: string = `Measures this workspace, and with --peers the alternatives in the same run.

  --peers             the peers too
  --quick             fewer events, 3 rounds
  --smoke             hardly any events, 1 round: shows that everything runs, its figures mean nothing
  --rounds N          rounds; the table shows their median (default 5)
  --only A,B          these questions: ${QUESTION_NAMES.join(', ')}
  --contenders A,B    these contenders: ${CATALOGUE.map(({ name }) => name).join(', ')}
  --json FILE         write every sample to FILE
  --plot              draw the findings into docs/performance
  --plot-to DIR       draw them into DIR
  --help              print this
`

/** @throws `TypeError` for an option or a value that is not known */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      peers: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      plot: { type: 'boolean', default: false },
      'plot-to': { type: 'string' },
      json: { type: 'string' },
      rounds: { type: 'string' },
      only: { type: 'string' },
      contenders: { type: 'string' },
    },
  })
  const { peers, quick, smoke, help, json } = values
  const plotTo = values['plot-to']
  const names = CATALOGUE.map(({ name }) => name)
  return {
    peers,
    size: smoke ? 'smoke' : quick ? 'quick' : 'full',
    help,
    json,
    plotTo,
    plot: values.plot || plotTo !== undefined,
    rounds: values.rounds === undefined ? undefined : positive('--rounds', values.rounds),
    only: listOf('--only', values.only, QUESTION_NAMES),
    contenders: listOf('--contenders', values.contenders, names),
  }
}

function listOf<T extends string>(
  option: string,
  text: string | undefined,
  allowed: readonly T[],
): T[] | undefined {
  return text?.split(',').map((name) => {
    const known = allowed.find((one) => one === name)
    if (known !== undefined) return known
    throw new TypeError(`Expected ${option} to name any of ${allowed.join(', ')}, got ${name}`)
  })
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1) return value
  throw new TypeError(`Expected ${option} to be an integer ≥ 1, got ${text}`)
}
