import { expect, test } from 'vitest'
import { createEvent } from '@bus/core'
import { fixedEvent } from './fixed-event.ts'

test('keeps a payload as it was, whatever becomes of it', () => {
  const payload = { list: [1], at: new Date(0), money: { toJSON: () => '1.50' } }
  const event = createEvent('a', payload)
  const fixed = fixedEvent(event)
  payload.list.push(2)
  expect(fixed).toEqual({
    ...event,
    payload: { list: [1], at: '1970-01-01T00:00:00.000Z', money: '1.50' },
  })
})

test('copies bytes, and leaves alone what nobody can change', () => {
  const bytes = Uint8Array.of(1, 2)
  const { payload } = fixedEvent(createEvent('a', bytes))
  bytes[0] = 9
  expect(payload).toEqual(Uint8Array.of(1, 2))
  for (const value of [1, 'text', null, undefined]) {
    const event = createEvent('a', value)
    expect(fixedEvent(event)).toBe(event)
  }
})

test('leaves what is no JSON to the transport, which says so', () => {
  for (const value of [{ n: 1n }, { toJSON: () => undefined }]) {
    const event = createEvent('a', value)
    expect(fixedEvent(event)).toBe(event)
  }
})
