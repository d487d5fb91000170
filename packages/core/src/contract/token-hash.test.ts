import { expect, test } from 'vitest'
import { hashToken } from './pattern-index.ts'

test('a token has the same hash wherever it stands', () => {
  expect(hashToken('order.created.eu', 6, 7)).toBe(hashToken('created', 0, 7))
})

test('another seed gives other hashes', () => {
  expect(hashToken('created', 0, 7)).not.toBe(hashToken('created', 0, 8))
})

test('ten thousand numbered tokens nearly all differ, also in the bits by which a map sorts them', () => {
  const hashes = Array.from({ length: 10_000 }, (_, i) => hashToken(`t${i}`, 0, 7))
  expect(new Set(hashes).size).toBeGreaterThan(9_990)
  const buckets = new Map<number, number>()
  for (const hash of hashes) buckets.set(hash & 1_023, (buckets.get(hash & 1_023) ?? 0) + 1)
  expect(Math.max(...buckets.values())).toBeLessThan(40)
})

test('a hash is a small integer also where these have 31 bits', () => {
  for (let seed = 0; seed < 1_000; seed++) {
    const hash = hashToken('created', 0, seed * 4_294_967)
    expect(Number.isInteger(hash) && hash >= -(2 ** 30) && hash < 2 ** 30).toBe(true)
  }
})
