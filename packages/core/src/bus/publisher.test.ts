import { describe, expect, test } from 'vitest'
import { ConfigError } from '../contract/errors.ts'
import type { EventInit } from '../contract/event.ts'
import { EventFactory, EventIds } from './publisher.ts'

const made = (source: string | undefined, init: EventInit | undefined) =>
  new EventFactory(source, () => 'own-id').make('order.created', { total: 1 }, init)

describe('the metadata of a new event', () => {
  test.each<[string, string | undefined, EventInit | undefined, Record<string, unknown>]>([
    ['nothing but the time', undefined, undefined, {}],
    ['the source of the bus', 'shop', undefined, { source: 'shop' }],
    ['attributes', undefined, { correlationId: 'c', n: 1 }, { correlationId: 'c', n: 1 }],
    ['attributes and the source of the bus', 'shop', { n: 1 }, { source: 'shop', n: 1 }],
    ['a source of its own', 'shop', { source: 'till', n: 1 }, { source: 'till', n: 1 }],
    [
      'a source that is undefined',
      'shop',
      { source: undefined, n: 1 } as never,
      { source: 'shop', n: 1 },
    ],
    ['an id, which is no attribute', 'shop', { id: 'i-1', n: 1 }, { source: 'shop', n: 1 }],
    ['an id and no source', undefined, { id: 'i-1', n: 1 }, { n: 1 }],
  ])('has %s', (_name, source, init, expected) => {
    const before = Date.now()
    const { metadata } = made(source, init)
    expect(metadata.timestamp).toBeGreaterThanOrEqual(before)
    expect(metadata).toEqual({ timestamp: metadata.timestamp, ...expected })
    expect(Object.isFrozen(metadata)).toBe(true)
  })

  test.each([{ timestamp: 5 }, { timestamp: 5, source: 'till' }, { timestamp: 5, id: 'i-1' }])(
    'takes the timestamp of %j',
    (init) => {
      expect(made('shop', init).metadata.timestamp).toBe(5)
    },
  )

  test('gets the time of now where the timestamp is undefined', () => {
    const { timestamp } = made(undefined, { timestamp: undefined } as never).metadata
    expect(Math.abs(Date.now() - timestamp)).toBeLessThan(60_000)
  })

  test('leaves what was given as it was, and unfrozen', () => {
    const init = { id: 'i-1', n: 1 }
    made('shop', init)
    expect(init).toEqual({ id: 'i-1', n: 1 })
    expect(Object.isFrozen(init)).toBe(false)
  })
})

test('an id that was given comes before the one of the bus', () => {
  expect([made(undefined, { id: 'i-1' }).id, made(undefined, { n: 1 }).id]).toEqual([
    'i-1',
    'own-id',
  ])
  expect(new EventFactory(undefined, undefined).make('a', 1, undefined).id).toMatch(
    /^[\da-f-]{36}$/,
  )
})

test.each(['', 'with space', 'x'.repeat(129), 7])('the id %j is refused', (id) => {
  expect(() => made(undefined, { id } as never)).toThrow(ConfigError)
  expect(() => new EventFactory(undefined, () => id as string).make('a', 1, undefined)).toThrow(
    ConfigError,
  )
})

test('an empty type is refused, also as the very first', () => {
  expect(() => new EventFactory(undefined, undefined).make('', 1, undefined)).toThrow(
    expect.objectContaining({ code: 'config', path: 'type' }),
  )
})

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids are UUIDs of version 7, each another, in the order they were drawn', () => {
  const ids = new EventIds()
  let now = 1_700_000_000_000
  // Several in each millisecond, and a clock that steps back once.
  const drawn = Array.from({ length: 5_000 }, (_, n) =>
    ids.next((now += n % 7 === 0 ? 1 : n === 99 ? -5 : 0)),
  )
  expect(new Set(drawn).size).toBe(5_000)
  for (const id of drawn) expect(id).toMatch(UUID_V7)
  expect(drawn.toSorted()).toEqual(drawn)
})

test('two sources give different ids in the same millisecond', () => {
  expect(new EventIds().next(1)).not.toBe(new EventIds().next(1))
})

test('more ids in a millisecond than the counter has digits for still differ and rise', () => {
  const ids = new EventIds()
  const drawn = Array.from({ length: 140_000 }, () => ids.next(1_700_000_000_000))
  expect(new Set(drawn).size).toBe(140_000)
  expect(drawn.every((id, n) => n === 0 || id > (drawn[n - 1] ?? ''))).toBe(true)
  expect(drawn.at(-1)).toMatch(UUID_V7)
})
