import { anything, assert, property } from 'fast-check'
import { expect, test } from 'vitest'
import { footprint } from './dead-letter-store.ts'

const empty = footprint({})

test('grows by the length of texts and bytes, wherever they are', () => {
  const text = 'x'.repeat(10_000)
  expect(footprint({ a: text }) - empty).toBeGreaterThanOrEqual(10_000)
  expect(footprint({ a: text }) - empty).toBeLessThan(10_100)
  expect(footprint({ a: [{ b: text }] }) - empty).toBeGreaterThanOrEqual(10_000)
  expect(footprint({ a: new Uint8Array(10_000) }) - empty).toBeGreaterThanOrEqual(10_000)
  expect(footprint({ [text]: 1 }) - empty).toBeGreaterThanOrEqual(10_000)
  expect(footprint(Array.from({ length: 1_000 }, (_, i) => i)) - empty).toBeGreaterThanOrEqual(
    8_000,
  )
})

test('even nothing costs something', () => {
  expect(footprint(undefined)).toBeGreaterThan(100)
})

test('a cycle, a shared part, a deep nesting and a getter that throws do not stop it', () => {
  const cycle: Record<string, unknown> = { text: 'x'.repeat(500) }
  cycle['self'] = cycle
  expect(footprint(cycle) - empty).toBeLessThan(600)
  const shared = 'x'.repeat(500)
  const part = { shared }
  expect(footprint([part, part]) - empty).toBeLessThan(700)
  let deep: unknown = 'end'
  for (let i = 0; i < 100_000; i++) deep = [deep]
  expect(footprint(deep)).toBeGreaterThan(100_000)
  const broken = {
    get value(): never {
      throw new Error('no')
    },
  }
  expect(footprint([broken, 'x'.repeat(500)])).toBeGreaterThan(500)
})

test('whatever the value, the answer is a whole number above 0', () => {
  assert(
    property(anything(), (value) => Number.isSafeInteger(footprint(value)) && footprint(value) > 0),
  )
})
