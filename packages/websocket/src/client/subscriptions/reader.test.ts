import { DecodeError, createEvent, type Event } from '@bus/core'
import { expect, test } from 'vitest'
import { plainJson } from '../../protocol/plain-json.ts'
import type { Frame, Protocol } from '../../protocol/protocol.ts'
import { Reader, Registry } from './registry.ts'

function create(decode: Protocol['decode']) {
  const registry = new Registry()
  const errors: { readonly error: Error; readonly frame: Frame }[] = []
  const counts = { held: 0 }
  const reader = new Reader({
    protocol: { ...plainJson(), decode },
    registry,
    undecodable: (error, frame) => errors.push({ error, frame }),
    held: () => counts.held++,
  })
  const events: Event[] = []
  const subscribe = (hasRoom: boolean): void =>
    registry.add({
      patterns: ['>'],
      settles: true,
      mustSettle: false,
      isHeld: false,
      unread: [],
      sink: {
        deliver: (event) => {
          events.push(event)
          return hasRoom
        },
      },
    })
  return { reader, errors, counts, events, subscribe }
}

test('gives all events of one frame to the subscriptions, with the tokens of the protocol', () => {
  const { reader, events, subscribe } = create((_frame, receiver) => {
    receiver.event(createEvent('a', 1), 1)
    receiver.event(createEvent('a', 2), 2)
  })
  subscribe(true)
  reader.frame('both')
  expect(events.map(({ payload }) => payload)).toEqual([1, 2])
  expect(reader.received).toBe(2)
})

test('keeps the events that came before the part of a frame that means nothing', () => {
  const { reader, events, errors, subscribe } = create((_frame, receiver) => {
    receiver.event(createEvent('a', 1), 0)
    throw new DecodeError('the rest')
  })
  subscribe(true)
  reader.frame('half')
  expect(events).toHaveLength(1)
  expect(errors).toMatchObject([{ error: { message: 'the rest' }, frame: 'half' }])
})

test('makes an error of what a protocol throws that is none', () => {
  const { reader, errors } = create(() => {
    throw 'a string'
  })
  reader.frame('x')
  expect(errors).toMatchObject([{ error: { code: 'decode', cause: 'a string' } }])
})

test('asks to stop with every frame as long as a subscription has no room', () => {
  const { reader, counts, subscribe } = create((_frame, receiver) => {
    receiver.event(createEvent('a', 1), 0)
  })
  subscribe(true)
  reader.frame('x')
  expect(counts.held).toBe(0)
  subscribe(false)
  reader.frame('x')
  reader.frame('x')
  expect(counts.held).toBe(2)
})
