import { createEvent, type Event, type Undeliverable } from '@bus/core'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/fake-clock.ts'
import { Parking } from './parking.ts'
import type { RegistryEntry } from './registry.ts'

const entryOf = (patterns: readonly string[], settles = true): RegistryEntry => ({
  patterns,
  settles,
  mustSettle: false,
  isHeld: false,
  unread: [],
  sink: { deliver: () => true },
})

function create() {
  const clock = new FakeClock()
  const log: unknown[] = []
  const lost: Undeliverable[] = []
  const parking = new Parking({
    clock,
    released: ({ patterns }) => log.push(['released', ...patterns]),
    ended: ({ patterns }) => log.push(['ended', ...patterns]),
    settle: (token) => log.push(['settled', token]),
    undeliverable: (notice) => lost.push(notice),
  })
  return { clock, parking, log, lost }
}

const event = (n: number): Event => createEvent('a', n)
const turn = (): Promise<void> => Promise.resolve()

test('takes what comes for an entry, and asks for no more', () => {
  const { parking } = create()
  const entry = entryOf(['a'])
  parking.park(entry)
  expect(entry.sink.deliver(event(1), 1)).toBe(false)
  expect([entry.feed, parking.list()]).toEqual([undefined, [entry]])
})

test('finds an entry by its patterns, in any order, and by how it settles', () => {
  const { parking } = create()
  const [one, two, three] = [entryOf(['a', 'b']), entryOf(['a', 'b'], false), entryOf(['b', 'a'])]
  for (const entry of [one, two, three]) parking.park(entry)
  expect(parking.claim(['a'], true)).toBeUndefined()
  expect(parking.claim(['b', 'a'], false)).toBe(two)
  expect(parking.claim(['b', 'a'], true)).toBe(one)
  parking.deliver(one, one.sink)
  expect(parking.claim(['a', 'b'], true)).toBe(three)
})

test.each([
  [true, [['released', 'a']]],
  [false, []],
])(
  'hands over what was kept, in order, after the call; with room afterwards: %s',
  async (hasRoom, log) => {
    const { parking, log: told } = create()
    const entry = entryOf(['a'])
    parking.park(entry)
    for (const n of [1, 2]) entry.sink.deliver(event(n), n)
    const taken: unknown[] = []
    const sink = {
      deliver: ({ payload }: Event, token: number) => {
        taken.push([payload, token])
        return hasRoom
      },
    }
    parking.deliver(entry, sink)
    expect(taken).toEqual([])
    await turn()
    expect(taken).toEqual([
      [1, 1],
      [2, 2],
    ])
    expect([told, entry.sink, parking.list()]).toEqual([log, sink, []])
  },
)

test('ends in time what nobody claims: its events are told, and settled where that is due', () => {
  const { parking, clock, log, lost } = create()
  const [settling, other] = [entryOf(['a']), entryOf(['b'], false)]
  for (const entry of [settling, other]) {
    parking.park(entry)
    entry.sink.deliver(event(1), 7)
  }
  parking.expire(10)
  clock.advance(9)
  expect(lost).toEqual([])
  clock.advance(1)
  expect(lost).toMatchObject([
    {
      reason: 'closed',
      event: { payload: 1 },
      error: { message: expect.stringContaining('to a') as string },
    },
    { reason: 'closed', event: { payload: 1 } },
  ])
  expect(log).toEqual([
    ['settled', 7],
    ['ended', 'a'],
    ['ended', 'b'],
  ])
  expect(clock.pending).toBe(0)
})

test('closes without a timer, and tells what it still had', () => {
  const { parking, clock, lost } = create()
  const entry = entryOf(['a'])
  parking.park(entry)
  entry.sink.deliver(event(1), 1)
  parking.expire(10)
  parking.close()
  expect([lost.length, clock.pending, parking.list()]).toEqual([1, 0, []])
})
