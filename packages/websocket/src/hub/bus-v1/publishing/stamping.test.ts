import fc from 'fast-check'
import { expect, it } from 'vitest'
import { stampSource } from './stamping.ts'

it('writes the source into any body of an event, and leaves its payload as it was', () => {
  const metadata = fc
    .dictionary(fc.string(), fc.jsonValue())
    .map((rest) => ({ timestamp: 1, ...rest }))
  fc.assert(
    fc.property(fc.jsonValue(), metadata, fc.string({ minLength: 1 }), (payload, meta, source) => {
      for (const body of [
        JSON.stringify({ payload, metadata: meta }),
        JSON.stringify({ metadata: meta, more: [payload], payload }, null, 2),
      ]) {
        const stamped = stampSource(body, source) ?? ''
        expect(JSON.parse(stamped)).toEqual(
          JSON.parse(JSON.stringify({ payload, metadata: { ...meta, source } })),
        )
      }
    }),
  )
})

it.each(['1e400', '123456789012345678901234567890', '-0', '"\\ud800"', '{"a":1,"a":2}'])(
  'does not write the payload %s anew',
  (payload) => {
    const body = `{"payload":${payload},"metadata":{"timestamp":1}}`
    expect(stampSource(body, 's')).toBe(
      `{"payload":${payload},"metadata":{"timestamp":1,"source":"s"}}`,
    )
  },
)

it('leaves no other source to be read', () => {
  const body =
    '{"metadata":{"source":"victim"},"payload":1,"metadata":{"source":"victim","source":"victim"},"source":"victim","x":{"metadata":1}}'
  expect(stampSource(body, 'mallory')).toBe('{"payload":1,"metadata":{"source":"mallory"}}')
})

it.each([
  '{}',
  '{"payload":1}',
  '{"metadata":{}}',
  '{"payload":1,"metadata":[]}',
  '{"payload":1,"metadata":null}',
  '{"payload":1,"metadata":{}',
  '{"payload":1,"metadata":{}}}',
  '{"payload":1 2,"metadata":{}}',
  '{"payload":,"metadata":{}}',
  '{"payload":"1,"metadata":{}}',
  '{"payload":[,"metadata":{}}',
  '{payload:1,metadata:{}}',
  '{"payload" 1,"metadata":{}}',
  '{1:1,"payload":1,"metadata":{}}',
  '{"payload":1,"metadata":{"a":}}',
  `{"payload":1,"metadata":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
])('gives nothing for what is no body: %.60s', (body) => {
  expect(stampSource(body, 's')).toBeUndefined()
})

it('makes no valid JSON with another source of anything that a client may send', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '"payload":',
    '"metadata":',
    '{"source":"v"}',
    '1',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const stamped = stampSource(`{"payload":${pieces.join('')},"metadata":{}}`, 'mallory')
      let read: { metadata?: { source?: unknown } }
      try {
        read = JSON.parse(stamped ?? '{"metadata":{"source":"mallory"}}') as typeof read
      } catch {
        return
      }
      expect(read.metadata?.source).toBe('mallory')
    }),
    { numRuns: 20_000 },
  )
})
