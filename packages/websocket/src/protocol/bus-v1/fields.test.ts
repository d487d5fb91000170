import { createEvent, isType, jsonCodec, type EventMetadata } from '@bus/core'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  decodeBody,
  encodeBody,
  isWireNumber,
  NOT_A_NUMBER,
  parseNumber,
  readNumber,
  TypeCache,
} from './fields.ts'

const both = (text: string): number[] => {
  const bytes = Buffer.from(`x ${text} y`)
  const from = 2
  return [parseNumber(text), readNumber(bytes, from, from + Buffer.byteLength(text))]
}

describe('a number of a line', () => {
  it('is read alike from text and from bytes, up to 2^53 − 1', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        expect(both(String(n))).toEqual([n, n])
      }),
    )
    expect(both(String(Number.MAX_SAFE_INTEGER))).toEqual(Array(2).fill(Number.MAX_SAFE_INTEGER))
  })

  it('is nothing but digits without a leading zero', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (text) => {
        const isNumber = /^(0|[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(Number(text))
        const expected = isNumber ? Number(text) : NOT_A_NUMBER
        expect(both(text)).toEqual([expected, expected])
      }),
    )
    for (const text of ['', '-0', '+1', '00', '1e3', '0x1', '9007199254740992', '١', '1 ']) {
      expect(both(text)).toEqual([NOT_A_NUMBER, NOT_A_NUMBER])
    }
  })

  it('may stand in JSON under the same rules', () => {
    for (const n of [0, 1, Number.MAX_SAFE_INTEGER]) expect(isWireNumber(n)).toBe(true)
    for (const n of [-0, -1, 0.5, 2 ** 53, NaN, Infinity, '1', null, undefined, [1]]) {
      expect(isWireNumber(n)).toBe(false)
    }
  })
})

test('a type cache reads exactly the types of the grammar, however often and whatever came before', () => {
  const cache = new TypeCache()
  const text = fc.oneof(
    fc.stringMatching(/^[a-c]{1,2}(\.[a-c]{1,2}){0,2}$/),
    fc.string({ maxLength: 6 }).map((s) => s.replaceAll(/[^\x20-\x7e]/g, '')),
  )
  fc.assert(
    fc.property(fc.array(text, { maxLength: 50 }), (texts) => {
      for (const type of [...texts, ...texts]) {
        const bytes = Buffer.from(`pub 1 ${type} id {}`)
        const expected = isType(type) ? type : undefined
        expect(cache.read(bytes, 6, 6 + type.length)).toBe(expected)
      }
    }),
  )
})

const metadata: EventMetadata = { timestamp: 1 }
const event = (payload: unknown, more: object = {}) => ({
  id: 'x',
  type: 'a.b',
  payload,
  metadata: { ...metadata, ...more },
})

/** The error that the call throws. */
function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

test('an event is the same after its way over the wire', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 5 }),
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
      (payload, more) => {
        // JSON has one zero.
        const plain: unknown = JSON.parse(JSON.stringify(payload))
        const attributes = JSON.parse(JSON.stringify(more)) as object
        const sent = event(plain, { ...attributes, timestamp: 12.5 })
        const body = encodeBody(sent)
        expect(body).not.toContain('\n')
        expect(decodeBody(sent.type, sent.id, body)).toEqual(sent)
      },
    ),
  )
})

test('an event that was read cannot be changed, apart from its payload', () => {
  const read = decodeBody('a', 'x', '{"payload":{"n":1},"metadata":{"timestamp":1,"source":"s"}}')
  expect(Object.isFrozen(read)).toBe(true)
  expect(Object.isFrozen(read.metadata)).toBe(true)
  expect(read.metadata.source).toBe('s')
})

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let n = 0; n < depth; n++) value = [value]
  return value
}
const cycle: Record<string, unknown> = {}
cycle['self'] = { cycle }

describe('a payload that JSON cannot hold is refused as on the plain wire', () => {
  const table: readonly [name: string, payload: unknown][] = [
    ['undefined', undefined],
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
    ['a BigInt', 1n],
    ['a BigInt inside', { n: 1n }],
    ['NaN', Number.NaN],
    ['Infinity', Infinity],
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set([1])],
    ['bytes', new Uint8Array(3)],
    ['a Buffer', Buffer.from('abc')],
    ['a DataView', new DataView(new ArrayBuffer(1))],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['a promise', Promise.resolve(1)],
    ['a cycle', cycle],
    ['toJSON that throws', { toJSON: () => fail() }],
    ['toJSON that throws no error', { toJSON: () => fail('text') }],
    ['toJSON that returns nothing', { toJSON: () => undefined }],
    [
      'a getter that throws',
      {
        get value() {
          return fail()
        },
      },
    ],
    ['a toJSON that returns nothing', { toJSON: () => undefined }],
    ['64 levels', nested(64)],
    ['10,000 levels', nested(10_000)],
  ]
  test.each(table)('%s', (_name, payload) => {
    const ours = thrownBy(() => encodeBody(event(payload)))
    const plain = thrownBy(() => jsonCodec().encode(event(payload)))
    expect(ours).toMatchObject({ code: 'serialization', outcome: 'not-sent', retryable: false })
    expect(plain).toMatchObject({ code: 'serialization' })
  })

  test.each([
    ['a cycle', { self: cycle }],
    ['a BigInt', { n: 1n }],
    ['a timestamp that is none', { timestamp: Number.NaN }],
  ])('%s in the metadata', (_name, more) => {
    expect(thrownBy(() => encodeBody(event(1, more)))).toMatchObject({ code: 'serialization' })
  })
})

describe('a payload that JSON can hold passes as on the plain wire', () => {
  class Order {
    readonly total = 1
  }
  test.each<[name: string, payload: unknown]>([
    ['null', null],
    ['an empty text', ''],
    ['a text with line breaks', 'a\nb\r\u2028"'],
    ['zero', 0],
    ['false', false],
    ['a date', new Date(0)],
    ['an instance', new Order()],
    ['an object without a prototype', Object.assign(Object.create(null), { n: 1 })],
    ['members that JSON leaves out', { gone: undefined, there: 1, also: () => {} }],
    ['toJSON', { toJSON: () => ({ n: 1 }) }],
    ['a list with a hole', [1, undefined, 3]],
    ['63 levels', nested(63)],
    ['many brackets side by side', Array.from({ length: 500 }, () => [{}])],
    ['brackets inside of text', '['.repeat(500)],
    ['a member named __proto__', JSON.parse('{"__proto__":{"polluted":1}}')],
  ])('%s', (_name, payload) => {
    const plain = jsonCodec().decode(jsonCodec().encode(event(payload)))
    const ours = decodeBody('a', 'x', encodeBody(event(payload)))
    expect(ours.payload).toEqual(plain.payload)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

describe('a body that is none of an event is a decode error', () => {
  test.each([
    '',
    'null',
    '7',
    '"text"',
    '[]',
    '{',
    '{}',
    '{"payload":1}',
    '{"metadata":{"timestamp":1}}',
    '{"payload":1,"metadata":null}',
    '{"payload":1,"metadata":[]}',
    '{"payload":1,"metadata":{}}',
    '{"payload":1,"metadata":{"timestamp":null}}',
    `{"payload":${'['.repeat(64)}${']'.repeat(64)},"metadata":{"timestamp":1}}`,
    `{"payload":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)},"metadata":{"timestamp":1}}`,
  ])('%.40s', (body) => {
    const error = thrownBy(() => decodeBody('a', 'x', body))
    expect(error).toMatchObject({ code: 'decode' })
    // A stranger's text has no place in a log.
    expect(String(error)).not.toContain('text')
  })
})

test('createEvent and the wire agree on what an event is', () => {
  const made = createEvent('order.created', { n: 1 }, { source: 'shop', traceparent: '00-1' })
  expect(decodeBody(made.type, made.id, encodeBody(made))).toEqual(made)
})

function fail(thrown: unknown = new Error('no')): never {
  throw thrown
}
