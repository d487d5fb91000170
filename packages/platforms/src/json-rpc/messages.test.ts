import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonrpc } from './messages.ts'

const encoder = new TextEncoder()
const text = (value: unknown): string => JSON.stringify(value)

describe('the id of a message', () => {
  test.each([
    ['a number', '{"jsonrpc":"2.0","id":7,"result":1}', 7],
    ['a text', '{"jsonrpc":"2.0","id":"a-7","result":1}', 'a-7'],
    ['zero', '{"jsonrpc":"2.0","id":0,"result":1}', 0],
    ['an empty text', '{"jsonrpc":"2.0","id":"","result":1}', ''],
    [
      'null, of an error',
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}',
      null,
    ],
    ['in bytes', encoder.encode('{"jsonrpc":"2.0","id":7,"result":1}'), 7],
  ])('is found when it is %s', (_what, frame, id) => {
    expect(jsonrpc.match(frame)).toMatchObject({ id })
  })

  test('is none in a notification', () => {
    expect(jsonrpc.match('{"jsonrpc":"2.0","method":"tick"}')).toEqual({
      kind: 'notification',
      method: 'tick',
    })
  })

  test.each([
    ['JSON that is broken', '{"jsonrpc":"2.0","id":7,'],
    ['nothing', ''],
    ['no bytes', new Uint8Array()],
    ['bytes that are no JSON', new Uint8Array([0xff, 0x00, 0x7b])],
    ['a number', '7'],
    ['null', 'null'],
    ['a list', '[{"jsonrpc":"2.0","id":7,"result":1}]'],
    ['an object of another kind', '{"type":"order.created","payload":1}'],
    ['another version', '{"jsonrpc":"1.0","id":7,"result":1}'],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"result":1}'],
    ['an id that is a boolean', '{"jsonrpc":"2.0","id":true,"result":1}'],
    ['a result whose id is null', '{"jsonrpc":"2.0","id":null,"result":1}'],
    ['a result without an id', '{"jsonrpc":"2.0","result":1}'],
    ['an answer with neither result nor error', '{"jsonrpc":"2.0","id":7}'],
    ['an error without a code', '{"jsonrpc":"2.0","id":7,"error":{"message":"no"}}'],
    ['an error that is a text', '{"jsonrpc":"2.0","id":7,"error":"no"}'],
    ['a method that is no text', '{"jsonrpc":"2.0","id":7,"method":1}'],
    ['a request whose id is null', '{"jsonrpc":"2.0","id":null,"method":"a"}'],
    [
      'nesting without end',
      `{"jsonrpc":"2.0","id":7,"result":${'['.repeat(100)}${']'.repeat(100)}}`,
    ],
  ])('is none in %s, which is no message', (_what, frame) => {
    expect(jsonrpc.match(frame)).toBeUndefined()
  })
})

describe('a message', () => {
  test('of the other side is a request when it has a method, whatever else it has', () => {
    const frame = '{"jsonrpc":"2.0","id":7,"method":"ask","params":[1],"result":1}'
    expect(jsonrpc.match(frame)).toEqual({ kind: 'request', id: 7, method: 'ask', params: [1] })
  })

  test('without the member jsonrpc is one all the same', () => {
    expect(jsonrpc.match('{"id":7,"result":null}')).toEqual({ kind: 'result', id: 7, result: null })
  })

  test('with an error that is null is a result', () => {
    expect(jsonrpc.match('{"id":7,"result":1,"error":null}')).toMatchObject({ kind: 'result' })
  })

  test('that is an error keeps code, message and data', () => {
    const error = { code: -32_602, message: 'Invalid params', data: { param: 'amount' } }
    expect(jsonrpc.match(text(jsonrpc.error(7, error)))).toEqual({ kind: 'error', id: 7, error })
  })

  test('that answers with nothing answers with null, because JSON has no undefined', () => {
    expect(text(jsonrpc.result(7, undefined))).toBe('{"jsonrpc":"2.0","id":7,"result":null}')
  })
})

const ids = fc.oneof(fc.integer(), fc.string())
const methods = fc.string({ minLength: 1 })
const params = fc.option(
  fc.oneof(
    fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })),
    fc.array(fc.jsonValue({ maxDepth: 2 })),
  ),
  { nil: undefined },
)

describe('for any id, method and arguments', () => {
  test('what is built is found again, and no arguments stay no arguments', () => {
    fc.assert(
      fc.property(ids, methods, params, (id, method, args) => {
        const given = args === undefined ? { method } : { method, params: plain(args) }
        expect(jsonrpc.match(text(jsonrpc.request(id, method, args)))).toEqual({
          kind: 'request',
          id,
          ...given,
        })
        const notification = jsonrpc.match(text(jsonrpc.notification(method, args)))
        expect(notification).toEqual({ kind: 'notification', ...given })
        expect(jsonrpc.match(text(jsonrpc.result(id, args)))).toEqual({
          kind: 'result',
          id,
          result: args === undefined ? null : plain(args),
        })
        const written = jsonrpc.request(id, method, args)
        expect('params' in written).toBe(args !== undefined)
      }),
    )
  })

  test('ids are unique and positive', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (count) => {
        const next = jsonrpc.ids()
        const made = Array.from({ length: count }, () => next())
        expect(new Set(made).size).toBe(count)
        expect(Math.min(...made)).toBeGreaterThan(0)
      }),
    )
  })

  test('nothing that comes throws', () => {
    const frames = fc.oneof(fc.string(), fc.uint8Array(), fc.jsonValue().map(text))
    const kinds = new Set([undefined, 'request', 'notification', 'result', 'error'])
    fc.assert(fc.property(frames, (frame) => kinds.has(jsonrpc.match(frame)?.kind)))
  })
})

/** As JSON carries it: it has no -0. */
function plain(value: unknown): unknown {
  return JSON.parse(text(value))
}
