import { anything, assert, jsonValue, property } from 'fast-check'
import { expect, test } from 'vitest'
import { copyPayload } from '../subscriptions/registry.ts'

/** Every object within the value. */
function objectsIn(value: unknown, found: Set<object> = new Set()): Set<object> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found
  found.add(value)
  for (const inner of Object.values(value)) objectsIn(inner, found)
  return found
}

test('is equal to the original and shares nothing with it, for any JSON', () => {
  assert(
    property(jsonValue(), (value) => {
      const copy = copyPayload(value)
      expect(copy).toStrictEqual(value)
      const originals = objectsIn(value)
      for (const object of objectsIn(copy)) expect(originals.has(object)).toBe(false)
    }),
  )
})

test('copies a member called __proto__ as a member', () => {
  const value: unknown = JSON.parse('{"__proto__":{"isAdmin":true}}')
  const copy = copyPayload(value) as { isAdmin?: boolean }
  expect(Object.keys(copy)).toEqual(['__proto__'])
  expect(copy.isAdmin).toBeUndefined()
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
})

test('copies bytes without the buffer that they were cut from', () => {
  const bytes = Buffer.from('x'.repeat(100_000)).subarray(10, 14)
  const copy = copyPayload({ bytes }) as { bytes: Uint8Array }
  expect(copy.bytes).toEqual(new Uint8Array(bytes))
  expect(copy.bytes.buffer.byteLength).toBe(4)
})

test('copies dates, maps, sets and what else the platform can copy', () => {
  const value = { at: new Date(5), map: new Map([[1, { a: 1 }]]), set: new Set([1]), big: 1n }
  const copy = copyPayload(value) as typeof value
  expect(copy).toEqual(value)
  expect(copy.map.get(1)).not.toBe(value.map.get(1))
})

test('leaves primitives as they are', () => {
  assert(
    property(
      anything().filter((value) => Object(value) !== value),
      (value) => {
        expect(Object.is(copyPayload(value), value)).toBe(true)
      },
    ),
  )
})
