import { isPattern, matches } from '@bus/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { covers, Permission } from './authenticator.ts'

const token = fc.constantFrom('a', 'b', '*', '>')
const pattern = fc
  .array(token, { minLength: 1, maxLength: 4 })
  .map((tokens) => tokens.join('.'))
  .filter(isPattern)

/** Every type of up to five tokens; `z` stands for all that no pattern names. */
const ALL: readonly string[] = [1, 2, 3, 4, 5].flatMap((length) =>
  Array.from({ length: 3 ** length }, (_, n) =>
    Array.from({ length }, (__, i) => 'abz'[Math.floor(n / 3 ** i) % 3]).join('.'),
  ),
)

it('a grant covers a pattern exactly when it matches every type that the pattern matches', () => {
  fc.assert(
    fc.property(pattern, pattern, (grant, requested) => {
      const isSubset = ALL.filter((type) => matches(requested, type)).every((type) =>
        matches(grant, type),
      )
      expect(covers(grant, requested)).toBe(isSubset)
    }),
    { numRuns: 2_000 },
  )
})

it('nothing is delivered outside of the grants', () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 3 }), pattern, (subscribe, requested) => {
      const permission = new Permission({ id: 'x', grants: { subscribe } }, undefined, () => {})
      if (!permission.maySubscribe(requested)) return
      for (const type of ALL.filter((name) => matches(requested, name))) {
        expect(subscribe.some((grant) => matches(grant, type))).toBe(true)
      }
    }),
  )
})
