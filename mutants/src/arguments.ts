/** The command line. */
import { parseArgs } from 'node:util'
import { SEEDED } from './seeded/catalogue.ts'
import type { SeededBug } from './seeded/seeded-bug.ts'
import { ZOO } from './zoo/catalogue.ts'
import type { ZooAnimal } from './zoo/zoo-animal.ts'

/** What the command line asks for. */
export interface Arguments {
  readonly help: boolean
  readonly seed: number
  readonly zoo: readonly ZooAnimal[]
  readonly seeded: readonly SeededBug[]
}

/** What `--help` prints. */
export const USAGE: string = `Breaks transports, the client and the hub on purpose, and shows which tests notice.

  --only NAME         this mutant only; may be given again
  --seed N            the random choices of the cases (default: 1)
  --help              print this

Broken transports:
${list(ZOO)}
Seeded bugs:
${list(SEEDED)}`

/** @throws `TypeError` for an option or a value that is not known */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', multiple: true },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  })
  const { only, help } = values
  const seed = Number(values.seed)
  if (!Number.isSafeInteger(seed) || seed < 0 || values.seed === '') {
    throw new TypeError(`Expected --seed to be an integer ≥ 0, got ${values.seed}`)
  }
  for (const name of only ?? []) {
    if ([...ZOO, ...SEEDED].some((mutant) => mutant.name === name)) continue
    throw new TypeError(`Expected --only to name a mutant (see --help), got ${name}`)
  }
  const isWanted = ({ name }: { readonly name: string }): boolean => only?.includes(name) ?? true
  return { help, seed, zoo: ZOO.filter(isWanted), seeded: SEEDED.filter(isWanted) }
}

function list(mutants: readonly { readonly name: string; readonly bug: string }[]): string {
  return mutants.map(({ name, bug }) => `  ${name.padEnd(28)}${bug}\n`).join('')
}
