/** Judges the zoo: each broken transport must fail every case that is named for it, and the sound one none of them. */
import type { Transport } from '@bus/core'
import { memoryMedium, memoryTransport } from '@bus/core/memory'
import { runCases, type ConformanceReport, type Medium } from '@bus/testing/conformance'
import type { Verdict } from '../mutant.ts'
import type { ZooAnimal } from './zoo-animal.ts'

/** Short: what must happen happens in memory, or never. */
const TIMING = { expectMs: 500, quietMs: 30 }

/** The sound transport that all of the zoo is made of. */
export const SOUND: ZooAnimal = {
  name: 'sound',
  bug: 'nothing',
  breaks: () => (inner) => inner,
  caughtBy: [],
}

/** @param onVerdict - called as soon as one is known */
export async function judgeZoo(
  animals: readonly ZooAnimal[],
  seed: number,
  onVerdict: (verdict: Verdict) => void,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  for (const animal of animals) {
    const { cases } = await report(animal, animal.caughtBy, seed)
    const blind = animal.caughtBy.flatMap((id) => {
      const status = cases.find((one) => one.id === id)?.status ?? 'missing'
      return status === 'failed' || status === 'warned' ? [] : [`${id} (${status})`]
    })
    const verdict = { mutant: animal, place: 'zoo', named: animal.caughtBy, blind }
    verdicts.push(verdict)
    onVerdict(verdict)
  }
  return verdicts
}

/** The cases that the sound transport does not pass, of those that a wrong transport is named for. */
export async function failuresOfSound(
  animals: readonly ZooAnimal[],
  seed: number,
): Promise<string[]> {
  const ids = [...new Set(animals.flatMap(({ caughtBy }) => caughtBy))]
  const { cases } = await report(SOUND, ids, seed)
  return cases
    .filter(({ status }) => status !== 'passed' && status !== 'unclaimed')
    .map((one) => `${one.id} (${'error' in one ? one.error : one.status})`)
}

function report(
  { name, breaks }: ZooAnimal,
  only: readonly string[],
  seed: number,
): Promise<ConformanceReport> {
  const medium = (): Promise<Medium> => {
    const shared = memoryMedium()
    const broken = breaks()
    const transport: Medium['transport'] = ({ queue, clock }): Transport =>
      broken(
        memoryTransport({
          medium: shared,
          ...(queue === undefined ? {} : { queue }),
          ...(clock === undefined ? {} : { clock }),
        }),
      )
    return Promise.resolve({ transport, stop: () => Promise.resolve() })
  }
  return runCases({ name, medium, only, seed, timing: TIMING })
}
