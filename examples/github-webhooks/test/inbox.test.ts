import { createEvent } from '@bus/core'
import { expect, test } from 'vitest'
import { Inbox } from '../src/inbox.ts'

function inboxOf(...sequences: readonly unknown[]): Inbox {
  const inbox = new Inbox()
  for (const sequence of sequences) inbox.take(createEvent('a', null, { sequence }))
  return inbox
}

test('keeps each number once, and counts those that come again', () => {
  const inbox = inboxOf(1, 2, 2, 3, 1)
  expect([...inbox.seen]).toEqual([1, 2, 3])
  expect(inbox).toMatchObject({ duplicates: 2, disordered: 0, strangers: 0, arrivals: 5 })
})

test('counts new numbers that come behind higher ones', () => {
  expect(inboxOf(1, 4, 3, 5)).toMatchObject({ duplicates: 0, disordered: 1 })
})

test('an event without a number is a stranger', () => {
  expect(inboxOf(1, undefined, 'x')).toMatchObject({ strangers: 2, arrivals: 3 })
})
