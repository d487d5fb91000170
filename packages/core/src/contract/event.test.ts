import { describe, expect, test } from 'vitest'
import { ConfigError } from './errors.ts'
import {
  assertId,
  checkedEvent,
  createEvent,
  isId,
  withCorrelationId,
  withSource,
  type Event,
} from './event.ts'

describe('an event', () => {
  test('has its type and payload, an id of its own and the time of its making', () => {
    const before = Date.now()
    const events = Array.from({ length: 1_000 }, () => createEvent('order.created', { total: 1 }))
    const after = Date.now()
    expect(new Set(events.map((event) => event.id)).size).toBe(1_000)
    for (const { type, payload, metadata } of events) {
      expect({ type, payload }).toEqual({ type: 'order.created', payload: { total: 1 } })
      expect(metadata.timestamp >= before && metadata.timestamp <= after).toBe(true)
    }
  })

  test('sorts by id as it was made', () => {
    const ids = Array.from({ length: 100 }, () => createEvent('t', null).id)
    expect(ids.toSorted()).toEqual(ids)
  })

  test('takes id, timestamp, source, correlation id and other attributes from its maker', () => {
    const init = { source: 'shop', correlationId: 'c-1', traceparent: '00-1-2-01' }
    expect(createEvent('t', 1, { id: 'evt_1', timestamp: 5, ...init })).toEqual({
      id: 'evt_1',
      type: 't',
      payload: 1,
      metadata: { timestamp: 5, ...init },
    })
  })

  test('keeps the type it was made with, whatever the metadata say', () => {
    const event = createEvent('order.created', null, { type: 'other', event_type: 'other' })
    expect(event.type).toBe('order.created')
  })

  test('is frozen with its metadata, and leaves the payload to its owner', () => {
    const payload = { total: 1 }
    const event = createEvent('t', payload, { source: 'shop' })
    expect(Object.isFrozen(event) && Object.isFrozen(event.metadata)).toBe(true)
    expect(event.payload).toBe(payload)
    expect(Object.isFrozen(payload)).toBe(false)
  })

  test.each(['', 'a b', '\n', 'ü', 'a'.repeat(129), 5, null, 'a\0'])(
    'is refused with the id %j',
    (id) => {
      expect(isId(id)).toBe(false)
      expect(() => assertId(id)).toThrow(ConfigError)
      expect(() => createEvent('t', null, { id: id as string })).toThrow(ConfigError)
    },
  )

  test.each(['a', 'a'.repeat(128), '!"#~', 'evt_123'])('may have the id %s', (id) => {
    expect(isId(id)).toBe(true)
    expect(createEvent('t', null, { id }).id).toBe(id)
  })

  test.each(['', 'a..b', 'order.*', 'a b'])('is refused with the type %j', (type) => {
    expect(() => createEvent(type, null)).toThrow(ConfigError)
  })
})

describe('a copy', () => {
  const event = createEvent('t', { total: 1 }, { id: 'evt_1', timestamp: 5, source: 'shop', a: 1 })

  test('with another source leaves the event as it was', () => {
    const copy = withSource(event, 'till')
    expect(copy).toEqual({ ...event, metadata: { timestamp: 5, source: 'till', a: 1 } })
    expect(event.metadata.source).toBe('shop')
    expect(Object.isFrozen(copy) && Object.isFrozen(copy.metadata)).toBe(true)
  })

  test('with another correlation id leaves the event as it was', () => {
    const copy = withCorrelationId(event, 'c-9')
    expect(copy.metadata).toEqual({ ...event.metadata, correlationId: 'c-9' })
    expect(copy.id).toBe(event.id)
    expect(event.metadata.correlationId).toBeUndefined()
    expect(Object.isFrozen(copy) && Object.isFrozen(copy.metadata)).toBe(true)
  })
})

describe('an event as a transport may take it', () => {
  test('is the same when it was made by createEvent', () => {
    const event = createEvent('t', { total: 1 })
    expect(checkedEvent(event)).toBe(event)
  })

  test('is a frozen copy when it was made by hand, which does not change any more', () => {
    const made: Event = createEvent('t', { total: 1 }, { source: 'shop' })
    const byHand = { ...made }
    const event = checkedEvent(byHand)
    expect(event).toEqual(byHand)
    expect(Object.isFrozen(event) && Object.isFrozen(event.metadata)).toBe(true)
    byHand.type = 'other'
    expect(event.type).toBe('t')
  })

  const sound = createEvent('t', null)
  test.each([
    ['type', { ...sound, type: 'a b' }],
    ['type', { ...sound, type: 'a\npub 7 secret x 1' }],
    ['id', { ...sound, id: '' }],
    ['id', { ...sound, id: 5 }],
    ['metadata.timestamp', { ...sound, metadata: {} }],
    ['metadata.timestamp', { ...sound, metadata: { timestamp: NaN } }],
    ['metadata.timestamp', { ...sound, metadata: { timestamp: 1e20 } }],
    ['metadata.correlationId', { ...sound, metadata: { timestamp: 1, correlationId: 4711 } }],
    ['metadata.source', { ...sound, metadata: { timestamp: 1, source: null } }],
    ['metadata', { ...sound, metadata: JSON.parse('{"timestamp":1,"__proto__":{}}') }],
    ['metadata', { id: 'a', type: 't', payload: 1 }],
  ])('is refused, by the name of its %s, when it is %j', (name, event) => {
    expect(() => checkedEvent(event as never)).toThrow(ConfigError)
    expect(() => checkedEvent(event as never)).toThrow(name)
  })
})
