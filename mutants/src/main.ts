/** Puts every mutant before the tests that are named for it; the exit code says whether all of them were caught. */
import { parseArguments, USAGE, type Arguments } from './arguments.ts'
import type { Verdict } from './mutant.ts'
import { judgeSeeded } from './seeded/judge.ts'
import { failuresOfSound, judgeZoo } from './zoo/judge.ts'

function tell({ mutant, named, blind, place }: Verdict): void {
  const where = place === 'zoo' ? '' : ` in ${place}`
  const mark = blind.length === 0 ? 'caught ' : 'ESCAPED'
  const by = blind.length === 0 ? named.map(short) : blind
  process.stdout.write(`${mark} ${mutant.name}${where}: ${mutant.bug} — ${by.join(', ')}\n`)
}

/** Without the folders of the file that the case is in. */
function short(id: string): string {
  return id.split('/').at(-1) ?? id
}

async function run({ zoo, seeded, seed }: Arguments): Promise<boolean> {
  const sick = await failuresOfSound(zoo, seed)
  if (sick.length > 0) process.stdout.write(`The sound transport fails ${sick.join(', ')}\n`)
  const verdicts = [...(await judgeZoo(zoo, seed, tell)), ...(await judgeSeeded(seeded, tell))]
  const caught = verdicts.filter(({ blind }) => blind.length === 0).length
  process.stdout.write(`caught ${caught} / ${verdicts.length} (seed ${seed})\n`)
  return sick.length === 0 && caught === verdicts.length
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
