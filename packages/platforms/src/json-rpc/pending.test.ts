import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { PendingIds } from './pending.ts'

test('an id is free again when it was released, and the numbers go on', () => {
  const pending = new PendingIds(10)
  expect([pending.take(undefined), pending.take('a'), pending.take(undefined)]).toEqual([1, 'a', 2])
  pending.release(1)
  pending.release('a')
  expect(pending.size).toBe(1)
  expect([pending.take('a'), pending.take(undefined)]).toEqual(['a', 3])
})

test('an id that waits is refused before there is a question of room', () => {
  const pending = new PendingIds(1)
  pending.take('a')
  expect(() => pending.take('a')).toThrow(
    expect.objectContaining({ code: 'duplicate-id' }) as Error,
  )
  expect(() => pending.take('b')).toThrow(expect.objectContaining({ code: 'queue-full' }) as Error)
  expect(pending.size).toBe(1)
})

type Step = { readonly take: number | string | undefined } | { readonly release: number }

test('for any course of requests no two that wait have one id, and no more wait than may', () => {
  const asked = fc.option(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom('1', 'a')), {
    nil: undefined,
  })
  const steps: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ take: asked }),
    fc.record({ release: fc.nat({ max: 10 }) }),
  )
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60 }), (course) => {
      const pending = new PendingIds(5)
      const waiting: (number | string)[] = []
      for (const step of course) {
        const before = [...waiting]
        const id = 'take' in step ? attempt(() => pending.take(step.take)) : undefined
        if (id !== undefined) waiting.push(id)
        else if ('release' in step) release(pending, waiting, step.release)
        const mayTake = 'take' in step && before.length < 5 && !before.includes(step.take ?? '')
        expect(id !== undefined).toBe(mayTake)
        expect(pending.size).toBe(waiting.length)
        expect(new Set(waiting).size).toBe(waiting.length)
      }
    }),
  )
})

/** Ends one of those that wait, or none. */
function release(pending: PendingIds, waiting: (number | string)[], which: number): void {
  const [id] = waiting.splice(which % (waiting.length + 1), 1)
  if (id !== undefined) pending.release(id)
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
