/** Trying a property on random values, and finding a small one on which it fails. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { Random } from '@bus/core'

/** How often a smaller value is tried before the smallest so far is reported. */
const MAX_SHRINKS = 100

/** What should be true of every value. */
export interface RandomProperty<T> {
  generate(random: Random): T
  /** Simpler values of the same kind, the simplest first. */
  smaller(value: T): readonly T[]
  /** Rejects where it is not true. */
  check(value: T): Promise<void>
}

/** Rejects with the smallest value found on which the property fails, and why. */
export async function forAll<T>(
  runs: number,
  random: Random,
  property: RandomProperty<T>,
): Promise<void> {
  for (let run = 1; run <= runs; run++) {
    const value = property.generate(random)
    const failure = await failureOf(property, value)
    if (failure === undefined) continue
    const least = await shrink(property, { value, failure })
    const shown = inspect(least.value, { depth: 8, maxStringLength: 200 })
    assert.fail(`Fails in run ${run} of ${runs}, for example on ${shown}: ${least.failure.message}`)
  }
}

interface Counterexample<T> {
  readonly value: T
  readonly failure: Error
}

async function shrink<T>(
  property: RandomProperty<T>,
  found: Counterexample<T>,
): Promise<Counterexample<T>> {
  let least = found
  let candidates = property.smaller(found.value)
  for (let tried = 0; tried < MAX_SHRINKS; tried++) {
    const [value, ...others] = candidates
    if (candidates.length === 0) break
    const failure = await failureOf(property, value as T)
    candidates = others
    if (failure === undefined) continue
    least = { value: value as T, failure }
    candidates = property.smaller(least.value)
  }
  return least
}

async function failureOf<T>(property: RandomProperty<T>, value: T): Promise<Error | undefined> {
  try {
    await property.check(value)
    return undefined
  } catch (error) {
    return error as Error
  }
}
