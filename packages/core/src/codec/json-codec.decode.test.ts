import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { event, wire, thrownBy } from '@bus/test-support'
import { DecodeError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import { jsonCodec } from './json-codec.ts'

const codec = jsonCodec()

function decode(value: unknown): Event {
  return codec.decode(JSON.stringify(value))
}

describe('decoding', () => {
  test('reads the flat shape', () => {
    expect(decode(wire)).toEqual(event)
  })

  test('reads the shape with everything within the metadata', () => {
    const { id, event_type, payload, metadata } = wire
    expect(decode({ metadata: { id, event_type, ...metadata, extra: 1 }, payload })).toEqual({
      ...event,
      metadata: { ...event.metadata, extra: 1 },
    })
  })

  test('in the flat shape keeps attributes of the same names, and its own type wins', () => {
    const metadata = { ...wire.metadata, id: 'other', event_type: 'other' }
    expect(decode({ ...wire, metadata })).toEqual({
      ...event,
      metadata: { ...event.metadata, id: 'other', event_type: 'other' },
    })
  })

  test('ignores unknown members of the envelope', () => {
    expect(decode({ ...wire, version: 3, type: 'x', nested: { a: 1 } })).toEqual(event)
  })

  test('reads UTF-8', () => {
    const payload = 'Grüße 😀'
    const bytes = new TextEncoder().encode(JSON.stringify({ ...wire, payload }))
    expect(codec.decode(bytes).payload).toBe(payload)
  })

  test('gives a frozen event', () => {
    const decoded = decode(wire)
    expect(Object.isFrozen(decoded) && Object.isFrozen(decoded.metadata)).toBe(true)
  })

  test.each([
    [1_709_210_096_789, 1_709_210_096_789],
    ['2024-02-29T13:34:56.789+01:00', 1_709_210_096_789],
  ])('reads the timestamp %s', (timestamp, ms) => {
    expect(decode({ ...wire, metadata: { timestamp } }).metadata).toEqual({ timestamp: ms })
  })

  test.each([
    ['no metadata', undefined],
    ['null for metadata', null],
    ['empty metadata', {}],
    ['null for each', { timestamp: null, source: null, correlation_id: null }],
  ])('with %s the timestamp is now and nothing else is known', (_name, metadata) => {
    vi.spyOn(Date, 'now').mockReturnValue(42)
    expect(decode({ ...wire, metadata }).metadata).toEqual({ timestamp: 42 })
  })

  test.each([
    [{ correlationId: 'ours' }, 'ours'],
    [{ correlationId: 'ours', correlation_id: 'theirs' }, 'theirs'],
    [{ correlation_id: 'theirs', correlationId: 'ours' }, 'theirs'],
  ])('reads the correlation id of %j', (attributes, correlationId) => {
    const metadata = { timestamp: 1, ...attributes }
    expect(decode({ ...wire, metadata }).metadata).toEqual({ timestamp: 1, correlationId })
  })
})

const undecodable: readonly [name: string, member: string, value: unknown][] = [
  ['no id', 'id', { ...wire, id: undefined }],
  ['neither id nor type', 'id', { payload: 1 }],
  ['an id with a space', 'id', { ...wire, id: 'a b' }],
  ['a number for id', 'id', { ...wire, id: 5 }],
  ['null for id', 'id', { ...wire, id: null }],
  ['no type', 'event_type', { ...wire, event_type: undefined }],
  ['a number for type', 'event_type', { ...wire, event_type: 5 }],
  ['a pattern for type', 'event_type', { ...wire, event_type: 'a.*' }],
  ['no payload', 'payload', { ...wire, payload: undefined }],
  ['an array for metadata', 'metadata', { ...wire, metadata: [] }],
  ['text for metadata', 'metadata', { ...wire, metadata: 'x' }],
  ['a number for source', 'metadata.source', { ...wire, metadata: { source: 5 } }],
  [
    'a number for correlation_id',
    'metadata.correlation_id',
    { ...wire, metadata: { correlation_id: 5 } },
  ],
  [
    'an object for correlationId',
    'metadata.correlationId',
    { ...wire, metadata: { correlationId: {} } },
  ],
  ['a timestamp that is no date', 'metadata.timestamp', { ...wire, metadata: { timestamp: '' } }],
  [
    'a day that does not exist',
    'metadata.timestamp',
    { ...wire, metadata: { timestamp: '2023-02-29T00:00:00Z' } },
  ],
  ['a timestamp too large', 'metadata.timestamp', { ...wire, metadata: { timestamp: 1e300 } }],
  ['true for timestamp', 'metadata.timestamp', { ...wire, metadata: { timestamp: true } }],
  ['an array', 'frame', [wire]],
  ['null', 'frame', null],
  ['a number', 'frame', 5],
  ['text', 'frame', 'hello'],
]

test.each(undecodable)('a frame with %s is refused, naming %s', (_name, member, value) => {
  const error = thrownBy(() => decode(value))
  expect(error).toBeInstanceOf(DecodeError)
  expect((error as Error).message).toMatch(new RegExp(`^Expected \`${member}\` to .*, got `))
})

test.each(['', 'hello', '{', '{"id":"a"', '\uFEFF{}', "{'id':1}", '{"id":1e}'])(
  'the frame %j is refused with the error of the parser as cause',
  (frame) => {
    const error = thrownBy(() => codec.decode(frame))
    expect(error).toBeInstanceOf(DecodeError)
    expect((error as Error).cause).toBeInstanceOf(SyntaxError)
  },
)

test('bytes that are not UTF-8 are refused, not repaired', () => {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...wire, payload: 'x' }))
  bytes[bytes.indexOf('x'.charCodeAt(0))] = 0xff
  expect(() => codec.decode(bytes)).toThrow(DecodeError)
})

test('an infinite timestamp in digits is refused', () => {
  expect(() =>
    codec.decode('{"id":"a","event_type":"t","payload":1,"metadata":{"timestamp":1e999}}'),
  ).toThrow(DecodeError)
})

test.each([61, 62, 63, 64, 10_000, 500_000])(
  'a payload nested %i deep is read only if the frame is within 64 levels',
  (depth) => {
    const payload = '['.repeat(depth) + ']'.repeat(depth)
    const frame = `{"id":"a","event_type":"t","payload":${payload}}`
    const error = thrownBy(() => codec.decode(frame))
    expect(error instanceof DecodeError).toBe(depth > 63)
    expect(error === undefined).toBe(depth <= 63)
  },
)

const hostile = ['__proto__', 'constructor', 'prototype']

test.each(hostile)('%s in the envelope changes nothing', (name) => {
  const member = `"${name}":{"x":1,"id":"evil","prototype":{"x":1}}`
  const frame = `{${member},"id":"a","event_type":"t","payload":{${member}},"metadata":{"timestamp":1}}`
  const decoded = codec.decode(frame)
  expect(decoded.id).toBe('a')
  expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
  expect(Object.getPrototypeOf(decoded.metadata)).toBe(Object.prototype)
  expect((decoded as unknown as Record<string, unknown>)['x']).toBeUndefined()
  expect(Object.hasOwn(decoded.payload as object, name)).toBe(true)
  expect(codec.encode(decoded)).toContain(`"payload":{"${name}":`)
  expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  expect(() => codec.decode(`{${member}}`)).toThrow(DecodeError)
})

test.each(hostile)('%s among the metadata is refused', (name) => {
  const frame = `{"id":"a","event_type":"t","payload":1,"metadata":{"${name}":{"x":1}}}`
  expect(() => codec.decode(frame)).toThrow(DecodeError)
  expect(({} as Record<string, unknown>)['x']).toBeUndefined()
})

const plain = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)))

test('no frame, however odd, makes the decoder throw anything but its own error', () => {
  const odd = fc.oneof(
    fc.string(),
    fc.uint8Array(),
    fc.json(),
    fc
      .record({ id: fc.anything(), event_type: fc.anything(), payload: plain, metadata: plain })
      .map((value) => safeJson(value)),
  )
  fc.assert(
    fc.property(odd, (frame) => {
      const error = thrownBy(() => codec.decode(frame))
      expect(error === undefined || error instanceof DecodeError).toBe(true)
    }),
  )
})

function safeJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? 0 : item))
}
