import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError, DecodeError, SerializationError } from '../contract/errors.ts'
import { createEvent } from '../contract/event.ts'
import { bytesCodec, textCodec, type FrameCodecOptions } from './text-codec.ts'

const text = textCodec()
const bytes = bytesCodec()

describe.each([
  ['textCodec', textCodec, 'hello'],
  ['bytesCodec', bytesCodec, new Uint8Array([1])],
] as const)('%s', (_name, makeCodec, frame) => {
  test('gives received events the type of its options, and `message` without', () => {
    expect(makeCodec().decode(frame).type).toBe('message')
    expect(makeCodec({ type: 'chat.line' }).decode(frame).type).toBe('chat.line')
  })

  test('gives each received event an id of its own and the time of its arrival', () => {
    const codec = makeCodec()
    const before = Date.now()
    const [first, second] = [codec.decode(frame), codec.decode(frame)]
    expect(first.id).not.toBe(second.id)
    expect(first.metadata.timestamp).toBeGreaterThanOrEqual(before)
    expect(Object.isFrozen(first)).toBe(true)
  })

  test.each([{ type: 'a b' }, { type: '' }, { type: 5 }, { kind: 'a' }])(
    'refuses the options %j',
    (options) => {
      expect(() => makeCodec(options as FrameCodecOptions)).toThrow(ConfigError)
    },
  )
})

test.each(['', 'hello', 'Grüße 😀', '\uFEFFwith a mark', 'a\0b'])(
  'the text %j comes back',
  (payload) => {
    expect(text.encode(createEvent('t', payload))).toBe(payload)
    expect(text.decode(payload).payload).toBe(payload)
    expect(text.decode(new TextEncoder().encode(payload)).payload).toBe(payload)
  },
)

test.each([undefined, null, 5, {}, new Uint8Array(1), '\ud800', 'a\udc00b'])(
  'the payload %j is refused as text',
  (payload) => {
    const refused = (): unknown => text.encode(createEvent('t', payload))
    expect(refused).toThrow(SerializationError)
    expect(refused).toThrow(expect.objectContaining({ outcome: 'not-sent' }))
  },
)

test('text that is not Unicode is refused when it comes', () => {
  expect(() => text.decode('a\ud800')).toThrow(DecodeError)
  expect(() => text.decode(new Uint8Array([0xff, 0xfe]))).toThrow(DecodeError)
})

test('bytes come back as they are, also none and those of a view', () => {
  const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3)
  for (const payload of [new Uint8Array(), view, Buffer.from([255, 0])]) {
    const frame = bytes.encode(createEvent('t', payload))
    expect([...(bytes.decode(frame).payload as Uint8Array)]).toEqual([...payload])
  }
})

test('bytes are those of the moment, whatever happens to the buffer afterwards', () => {
  const buffer = Buffer.from([1, 2, 3])
  const frame = bytes.encode(createEvent('t', buffer))
  const { payload } = bytes.decode(buffer)
  buffer.fill(0)
  expect(frame).toEqual(new Uint8Array([1, 2, 3]))
  expect(payload).toEqual(new Uint8Array([1, 2, 3]))
  expect((payload as Uint8Array).buffer.byteLength).toBe(3)
})

test('a text frame is read as its UTF-8', () => {
  expect(bytes.decode('ü').payload).toEqual(new Uint8Array([0xc3, 0xbc]))
})

test.each([undefined, null, 'text', [1], new ArrayBuffer(1), new Uint16Array(1)])(
  'the payload %j is refused as bytes',
  (payload) => {
    const refused = (): unknown => bytes.encode(createEvent('t', payload))
    expect(refused).toThrow(SerializationError)
    expect(refused).toThrow(expect.objectContaining({ outcome: 'not-sent' }))
  },
)

test('no frame, however odd, makes these decoders throw anything but their own error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array()), (frame) => {
      expect(whatTheyThrow(frame).every((error) => error instanceof DecodeError)).toBe(true)
    }),
  )
})

function whatTheyThrow(frame: string | Uint8Array): unknown[] {
  return [text, bytes].flatMap((codec) => {
    try {
      codec.decode(frame)
      return []
    } catch (error) {
      return [error]
    }
  })
}
