import { DecodeError, createEvent, type Event } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { expect, test } from 'vitest'
import { Registry } from '../client/subscriptions/registry.ts'
import { overlay } from './overlay.ts'
import { plainJson } from './plain-json.ts'
import { PlainSession } from './plain-session.ts'
import type { Frame, PlainProtocol } from './protocol.ts'

function create(decode: PlainProtocol['decode']) {
  const registry = new Registry()
  const errors: { readonly error: Error; readonly frame: Frame }[] = []
  const counts = { held: 0 }
  const host = {
    clock: systemClock,
    maxMessageBytes: 1_000,
    outbox: { next: () => undefined, sent: () => {}, linkLost: () => {} },
    registry,
    bootstrap: () => Promise.resolve(),
    undecodable: (error: Error, frame: Frame) => errors.push({ error, frame }),
    held: () => counts.held++,
  }
  const session = new PlainSession({ ...plainJson(), decode }, host)
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
  return { session, host, errors, counts, events, subscribe }
}

test('gives all events of one frame to the subscriptions, with the tokens of the protocol', () => {
  const { session, events, subscribe } = create((_frame, receiver) => {
    receiver.event(createEvent('a', 1), 1)
    receiver.event(createEvent('a', 2), 2)
  })
  subscribe(true)
  session.frame('both')
  expect(events.map(({ payload }) => payload)).toEqual([1, 2])
  expect(session.received).toBe(2)
})

test('a plain protocol opens a session that calls the functions it has then, also where they were replaced', () => {
  const { session, host } = create(() => {})
  const replaced = { ...plainJson(), encode: () => 'mine' }
  const layered = overlay(replaced, { subscribe: () => Promise.resolve() })
  const event = createEvent('a', 1)
  expect(session.encode(event)).toBe(plainJson().encode(event))
  expect(layered.openSession(host).encode(event)).toBe('mine')
  expect(layered.openSession(host)).toMatchObject({ subscribe: expect.any(Function) })
  expect(replaced.openSession(host)).toMatchObject({ subscribe: undefined })
})

test('keeps the events that came before the part of a frame that means nothing', () => {
  const { session, events, errors, subscribe } = create((_frame, receiver) => {
    receiver.event(createEvent('a', 1), 0)
    throw new DecodeError('the rest')
  })
  subscribe(true)
  session.frame('half')
  expect(events).toHaveLength(1)
  expect(errors).toMatchObject([{ error: { message: 'the rest' }, frame: 'half' }])
})

test('makes an error of what a protocol throws that is none', () => {
  const { session, errors } = create(() => {
    throw 'a string'
  })
  session.frame('x')
  expect(errors).toMatchObject([{ error: { code: 'decode', cause: 'a string' } }])
})

test('pauses with every frame as long as a subscription has no room', () => {
  const { session, counts, subscribe } = create((_frame, receiver) => {
    receiver.event(createEvent('a', 1), 0)
  })
  subscribe(true)
  session.frame('x')
  expect(counts.held).toBe(0)
  subscribe(false)
  session.frame('x')
  session.frame('x')
  expect(counts.held).toBe(2)
})
