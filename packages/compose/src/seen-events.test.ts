import { expect, test } from 'vitest'
import { createEvent } from '@bus/core'
import { SeenEvents } from './seen-events.ts'

const event = (id: string, source?: string) =>
  createEvent('a', 1, source === undefined ? { id } : { id, source })

test('knows the first way of an event, by source and id', () => {
  const seen = new SeenEvents<string>(10)
  expect(seen.firstWay(event('1', 's'), 'one')).toBe('one')
  expect(seen.firstWay(event('1', 's'), 'two')).toBe('one')
  expect(seen.firstWay(event('1', 't'), 'two')).toBe('two')
  expect(seen.firstWay(event('1'), 'three')).toBe('three')
  expect([seen.has(event('1', 's')), seen.has(event('2', 's'))]).toEqual([true, false])
})

test('forgets the oldest beyond its limit', () => {
  const seen = new SeenEvents<number>(2)
  for (const n of [1, 2, 3]) seen.firstWay(event(String(n)), n)
  expect([1, 2, 3].map((n) => seen.has(event(String(n))))).toEqual([false, true, true])
})
