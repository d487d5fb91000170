import { describe, expect, test } from 'vitest'
import { ConfigError } from '../contract/errors.ts'
import type { EventInit } from '../contract/event.ts'
import { EventFactory } from './event-factory.ts'

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
  ])('holds %s', (_name, source, init, expected) => {
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
