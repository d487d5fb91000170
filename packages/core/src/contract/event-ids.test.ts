import { expect, test } from 'vitest'
import { EventIds } from './event-ids.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids are UUIDs of version 7, each another, in the order they were made', () => {
  const ids = new EventIds()
  let now = 1_700_000_000_000
  // Several in each millisecond, and a clock that steps back once.
  const made = Array.from({ length: 5_000 }, (_, n) =>
    ids.next((now += n % 7 === 0 ? 1 : n === 99 ? -5 : 0)),
  )
  expect(new Set(made).size).toBe(5_000)
  for (const id of made) expect(id).toMatch(UUID_V7)
  expect(made.toSorted()).toEqual(made)
})

test('two sources give different ids in the same millisecond', () => {
  expect(new EventIds().next(1)).not.toBe(new EventIds().next(1))
})

test('more ids in a millisecond than the counter has digits for still differ and rise', () => {
  const ids = new EventIds()
  const made = Array.from({ length: 140_000 }, () => ids.next(1_700_000_000_000))
  expect(new Set(made).size).toBe(140_000)
  expect(made.every((id, n) => n === 0 || id > (made[n - 1] ?? ''))).toBe(true)
  expect(made.at(-1)).toMatch(UUID_V7)
})
