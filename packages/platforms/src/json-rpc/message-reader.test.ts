import { afterEach, expect, test, vi } from 'vitest'
import { MessageReader } from './message-reader.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

test('reads a frame once, however often it is asked for, also one that is no message', () => {
  const parse = vi.spyOn(JSON, 'parse')
  const reader = new MessageReader()
  const [message, again] = ['{"id":1,"result":2}', '{"id":1,"result":2}'].map((frame) =>
    reader.read(frame),
  )
  expect(message).toEqual({ kind: 'result', id: 1, result: 2 })
  expect(again).toBe(message)
  expect(parse).toHaveBeenCalledTimes(1)
  expect([reader.read('no'), reader.read('no')]).toEqual([undefined, undefined])
  expect(parse).toHaveBeenCalledTimes(2)
})

test('reads anew what is another frame, or was forgotten', () => {
  const reader = new MessageReader()
  const first = reader.read('{"id":1,"result":2}')
  expect(reader.read('{"id":2,"result":2}')).toMatchObject({ id: 2 })
  const second = reader.read('{"id":1,"result":2}')
  expect(second).not.toBe(first)
  reader.forget()
  expect(reader.read('{"id":1,"result":2}')).not.toBe(second)
})

test('tells bytes apart by what they are, not by what they hold', () => {
  const reader = new MessageReader()
  const bytes = new TextEncoder().encode('{"id":1,"result":2}')
  const message = reader.read(bytes)
  expect(message).toMatchObject({ id: 1 })
  expect(reader.read(bytes)).toBe(message)
  expect(reader.read(new Uint8Array(bytes))).not.toBe(message)
})
