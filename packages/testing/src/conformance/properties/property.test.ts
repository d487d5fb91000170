import assert from 'node:assert/strict'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../chaos/seeded-random.ts'
import { forAll, type RandomProperty } from './property.ts'

/** Lists of numbers, in which none may be above 6. */
function small(tried: number[][] = []): RandomProperty<number[]> {
  return {
    generate: (random) => Array.from({ length: 1 + random() * 9 }, () => Math.floor(random() * 10)),
    smaller: (list) => list.map((_, at) => list.toSpliced(at, 1)),
    async check(list) {
      tried.push(list)
      assert.ok(
        list.every((n) => n <= 6),
        `${String(list)} contains too much`,
      )
    },
  }
}

describe('a property that fails', () => {
  test('is reported with the smallest value on which it does, and the run', async () => {
    const failing = forAll(100, seededRandom(7), small())
    await expect(failing).rejects.toThrow(
      /^Fails in run \d+ of 100, for example on \[ [789] \]: [789] contains too much$/,
    )
  })

  test('fails in the same way for the same seed', async () => {
    const messageOf = (seed: number): Promise<string> =>
      forAll(100, seededRandom(seed), small()).then(
        () => 'it passed',
        (error: unknown) => (error as Error).message,
      )
    expect(await messageOf(7)).toBe(await messageOf(7))
  })

  test('is shrunk within bounds, even if there is always something smaller', async () => {
    let checks = 0
    const endless: RandomProperty<number> = {
      generate: () => 1,
      smaller: (n) => [n / 2],
      async check(n) {
        checks++
        assert.fail(`not ${n}`)
      },
    }
    await expect(forAll(1, seededRandom(1), endless)).rejects.toThrow('Fails in run 1 of 1')
    expect(checks).toBe(101)
  })
})

test('a property that is true is tested as often as given, on different values', async () => {
  const tried: number[][] = []
  const always = { ...small(tried), check: async (list: number[]) => void tried.push(list) }
  await forAll(50, seededRandom(7), always)
  expect(tried).toHaveLength(50)
  expect(new Set(tried.map(String)).size).toBeGreaterThan(25)
})
