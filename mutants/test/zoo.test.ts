/** Transports with one thing changed: whether the conformance suite catches each of them. */
import { describe, expect, test } from 'vitest'
import { SOUND, failuresOfSound, judgeZoo } from '../src/zoo/judge.ts'
import { ZOO } from '../src/zoo/catalogue.ts'

describe('the zoo', () => {
  test('has a sound transport that fails nothing', async () => {
    expect(await failuresOfSound(ZOO, 1)).toEqual([])
  })

  test.each(ZOO)('is caught: $name', async (animal) => {
    const [verdict] = await judgeZoo([animal], 1, () => {})
    expect(verdict).toMatchObject({ blind: [] })
  })

  test('lets an animal escape that is not broken', async () => {
    const [verdict] = await judgeZoo([{ ...SOUND, caughtBy: ['B1', 'no such case'] }], 1, () => {})
    expect(verdict).toMatchObject({ blind: ['B1 (passed)', 'no such case (missing)'] })
  })
})
