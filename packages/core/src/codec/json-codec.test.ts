import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { event, wire, thrownBy } from '@bus/test-support'
import { ConfigError, SerializationError } from '../contract/errors.ts'
import { createEvent, type EventMetadata } from '../contract/event.ts'
import { jsonCodec, type JsonCodecOptions } from './json-codec.ts'

const codec = jsonCodec()

describe('encoding', () => {
  test('writes id, event_type, payload and metadata, the timestamp as RFC 3339', () => {
    expect(JSON.parse(codec.encode(event) as string)).toEqual(wire)
  })

  test('keeps unknown attributes, and leaves out those that are undefined', () => {
    const metadata = { timestamp: 0, traceparent: '00-1', nested: { a: [1] }, absent: undefined }
    expect(JSON.parse(codec.encode({ ...event, metadata }) as string)).toMatchObject({
      metadata: { timestamp: '1970-01-01T00:00:00.000Z', traceparent: '00-1', nested: { a: [1] } },
    })
  })

  test('writes each timestamp, also when they alternate', () => {
    const times = [1, 1, 2, 1].map((timestamp) => {
      const text = codec.encode({ ...event, metadata: { timestamp } }) as string
      return codec.decode(text).metadata.timestamp
    })
    expect(times).toEqual([1, 1, 2, 1])
  })

  test('gives bytes when the frame is to be binary', () => {
    const binary = jsonCodec({ frame: 'binary' })
    expect([codec.frame, binary.frame]).toEqual(['text', 'binary'])
    const bytes = binary.encode(event)
    expect(bytes).toBeInstanceOf(Uint8Array)
    expect(binary.decode(bytes)).toEqual(event)
    expect(codec.decode(bytes)).toEqual(event)
  })

  test.each([{ frame: 'blob' }, { frame: null }, { frames: 'text' }])(
    'refuses the options %j',
    (options) => {
      expect(() => jsonCodec(options as JsonCodecOptions)).toThrow(ConfigError)
    },
  )
})

const cycle: Record<string, unknown> = {}
cycle['self'] = { cycle }
const deep = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
const { proxy, revoke } = Proxy.revocable({}, {})
revoke()

const unwritable: readonly [name: string, payload: unknown][] = [
  ['undefined', undefined],
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a BigInt', 1n],
  ['a BigInt deep within', { a: [{ b: 1n }] }],
  ['a cycle', cycle],
  ['an array that holds itself', [cycle]],
  ['a toJSON that throws', { toJSON: () => thrower(new Error('no')) }],
  ['a toJSON that throws no error', { toJSON: () => thrower('no') }],
  ['a toJSON that throws deep within', { a: [{ toJSON: () => thrower(new Error('no')) }] }],
  ['a toJSON that returns nothing', { toJSON: () => undefined }],
  [
    'a getter that throws',
    {
      get a(): number {
        return thrower(new Error('no'))
      },
    },
  ],
  ['a revoked proxy', proxy],
  ['NaN', NaN],
  ['an infinite number', -Infinity],
  ['bytes', new Uint8Array([1])],
  ['a buffer', new ArrayBuffer(1)],
  ['a map', new Map([['a', 1]])],
  ['a set', new Set([1])],
  ['a promise', Promise.resolve(1)],
  ['64 levels within the envelope', deep(64)],
  ['ten thousand levels', deep(10_000)],
]

function thrower(what: unknown): never {
  throw what
}

describe.each(unwritable)('a payload of %s', (_name, payload) => {
  test('is refused before anything is sent, and the next event is encoded', () => {
    const error = thrownBy(() => codec.encode({ ...event, payload }))
    expect(error).toBeInstanceOf(SerializationError)
    expect(error).toMatchObject({ outcome: 'not-sent', retryable: false })
    expect((error as Error).message).toContain('`notification.sent`')
    expect(codec.decode(codec.encode(event))).toEqual(event)
  })
})

test('the cause of a refusal is what was thrown', () => {
  const cause = new Error('no')
  const payload = { toJSON: () => thrower(cause) }
  expect(thrownBy(() => codec.encode({ ...event, payload }))).toHaveProperty('cause', cause)
})

test.each([
  ['a timestamp that is no number', { timestamp: NaN }],
  ['a timestamp beyond the year 9999', { timestamp: 8.64e15 }],
  ['an attribute named __proto__', JSON.parse('{"timestamp":1,"__proto__":{"x":1}}')],
  ['an attribute named constructor', { timestamp: 1, constructor: 1 }],
  ['no metadata', undefined],
] as [string, EventMetadata][])('an event with %s is refused', (_name, metadata) => {
  expect(() => codec.encode({ ...event, metadata })).toThrow(SerializationError)
})

test.each([null, false, 0, '', [], {}, 'a\ud800b', 2 ** 53, new Date(0)])(
  'the payload %j is written as JSON writes it',
  (payload) => {
    const decoded = codec.decode(codec.encode({ ...event, payload }))
    expect(decoded.payload).toEqual(JSON.parse(JSON.stringify(payload)))
  },
)

const NAMES = /^(?:timestamp|source|correlationId|correlation_id|__proto__|constructor|prototype)$/
const attribute = fc.string().filter((name) => !NAMES.test(name))
const plain = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)))

test('every event that is plain JSON comes back equal', () => {
  const init = fc.record(
    {
      id: fc.stringMatching(/^[\x21-\x7e]{1,128}$/),
      timestamp: fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }),
      source: fc.string(),
      correlationId: fc.string(),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(plain, init, fc.dictionary(attribute, plain), (payload, known, unknown) => {
      const { id: _id, ...attributes } = unknown
      const made = createEvent('order.created', payload, { ...attributes, ...known })
      expect(codec.decode(codec.encode(made))).toEqual(made)
    }),
  )
})
