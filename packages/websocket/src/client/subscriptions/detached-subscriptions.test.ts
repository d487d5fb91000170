import { createEvent, type Event, type Undeliverable } from '@bus/core'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/fake-clock.ts'
import { DetachedSubscriptions } from './detached-subscriptions.ts'
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
  const detached = new DetachedSubscriptions({
    clock,
    released: ({ patterns }) => log.push(['released', ...patterns]),
    ended: ({ patterns }) => log.push(['ended', ...patterns]),
    settle: (token) => log.push(['settled', token]),
    undeliverable: (notice) => lost.push(notice),
  })
  return { clock, detached, log, lost }
}

const event = (n: number): Event => createEvent('a', n)
const turn = (): Promise<void> => Promise.resolve()

test('takes what comes for an entry, and says that it is full', () => {
  const { detached } = create()
  const entry = entryOf(['a'])
  detached.add(entry)
  expect(entry.sink.deliver(event(1), 1)).toBe(false)
  expect([entry.feed, detached.list()]).toEqual([undefined, [entry]])
})

test('finds an entry by its patterns, in any order, and by how it settles', () => {
  const { detached } = create()
  const [one, two, three] = [entryOf(['a', 'b']), entryOf(['a', 'b'], false), entryOf(['b', 'a'])]
  for (const entry of [one, two, three]) detached.add(entry)
  expect(detached.claim(['a'], true)).toBeUndefined()
  expect(detached.claim(['b', 'a'], false)).toBe(two)
  expect(detached.claim(['b', 'a'], true)).toBe(one)
  detached.deliver(one, one.sink)
  expect(detached.claim(['a', 'b'], true)).toBe(three)
})

test.each([
  [true, [['released', 'a']]],
  [false, []],
])(
  'hands over what was kept, in order, after the call; with room afterwards: %s',
  async (hasRoom, log) => {
    const { detached, log: told } = create()
    const entry = entryOf(['a'])
    detached.add(entry)
    for (const n of [1, 2]) entry.sink.deliver(event(n), n)
    const taken: unknown[] = []
    const sink = {
      deliver: ({ payload }: Event, token: number) => {
        taken.push([payload, token])
        return hasRoom
      },
    }
    detached.deliver(entry, sink)
    expect(taken).toEqual([])
    await turn()
    expect(taken).toEqual([
      [1, 1],
      [2, 2],
    ])
    expect([told, entry.sink, detached.list()]).toEqual([log, sink, []])
  },
)

test('ends what is not claimed in time: its events are reported, and settled where that is due', () => {
  const { detached, clock, log, lost } = create()
  const [settling, other] = [entryOf(['a']), entryOf(['b'], false)]
  for (const entry of [settling, other]) {
    detached.add(entry)
    entry.sink.deliver(event(1), 7)
  }
  detached.expire(10)
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

test('closes without a timer, and reports what it still had', () => {
  const { detached, clock, lost } = create()
  const entry = entryOf(['a'])
  detached.add(entry)
  entry.sink.deliver(event(1), 1)
  detached.expire(10)
  detached.close()
  expect([lost.length, clock.pending, detached.list()]).toEqual([1, 0, []])
})
