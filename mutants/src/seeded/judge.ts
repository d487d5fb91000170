/** Judges seeded bugs: each is planted alone, and every test that is named for it must fail. */
import type { Verdict } from '../mutant.ts'
import { runTests } from './run-tests.ts'
import type { SeededBug } from './seeded-bug.ts'

/** Bugs whose tests run at the same time. */
const AT_ONCE = 2

/** @param onVerdict - told as soon as one is known */
export async function judgeSeeded(
  bugs: readonly SeededBug[],
  onVerdict: (verdict: Verdict) => void,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  const left = [...bugs]
  const work = async (): Promise<void> => {
    for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
      const verdict = await judge(bug)
      verdicts.push(verdict)
      onVerdict(verdict)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return verdicts
}

async function judge(bug: SeededBug): Promise<Verdict> {
  const results = await runTests(bug)
  const named = [...results.keys()]
  const blind = named.flatMap((id) => {
    const how = results.get(id)
    return how === 'failed' ? [] : [`${id} (${how})`]
  })
  return { mutant: bug, place: bug.file, named, blind }
}
