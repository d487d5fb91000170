import { assert, constantFrom, nat, property } from 'fast-check'
import { expect, test } from 'vitest'
import { healthScore, type HealthFacts } from './health-score.ts'

const score = (facts: Partial<HealthFacts>): number =>
  healthScore({ pending: 0, p99Ms: 0, errors: 0, pressure: 'none', ...facts })

test.each([
  [{}, 100],
  [{ pending: 8, p99Ms: 50 }, 58],
  [{ pending: 3 }, 70],
  [{ pending: 999 }, 60],
  [{ p99Ms: 24 }, 100],
  [{ p99Ms: 99_999 }, 70],
  [{ errors: 1 }, 85],
  [{ errors: 2 }, 80],
  [{ errors: 99 }, 80],
  [{ pressure: 'low' }, 97],
  [{ pressure: 'medium' }, 94],
  [{ pressure: 'high' }, 90],
] as const)('of %j is %i', (facts, expected) => {
  expect(score(facts)).toBe(expected)
})

test('is capped for each cause, and never below 0', () => {
  expect(score({ pending: 999, p99Ms: 99_999, errors: 99, pressure: 'high' })).toBe(0)
  const pressures = constantFrom('none', 'low', 'medium', 'high')
  assert(
    property(nat(), nat(), nat(), pressures, (pending, p99Ms, errors, pressure) => {
      const facts = { pending, p99Ms, errors, pressure } as const
      expect(score(facts)).toBeGreaterThanOrEqual(0)
      expect(score(facts)).toBeLessThanOrEqual(100)
      expect(score({ ...facts, pending: pending + 1 })).toBeLessThanOrEqual(score(facts))
    }),
  )
})
