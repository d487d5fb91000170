import { createEvent, type Event } from '@bus/core'
import { expect, test } from 'vitest'
import { frameHandlerProtocol, type FrameHandler, type FrameResult } from './frame-handler.ts'
import { busV1 } from '../client/bus-v1.ts'
import { plainJson } from './plain-json.ts'
import { plainSession } from './plain-session.ts'
import type { ProtocolLink, ProtocolSession, SessionHost } from './protocol.ts'

/** Reads frames with a handler, as a transport would. */
function reading<S>(handler: FrameHandler<S>, protocol = plainJson()) {
  const read = frameHandlerProtocol(handler, { protocol })
  const events: Event[] = []
  const closes: [number, string][] = []
  const link: ProtocolLink = {
    signal: new AbortController().signal,
    subprotocol: '',
    send: () => Promise.resolve(),
    waitFor: () => new Promise(() => {}),
    report: () => {},
    close: (code, reason) => void closes.push([code, reason]),
  }
  return {
    protocol: read,
    events,
    closes,
    connect: () => read.authenticate?.(link) ?? Promise.resolve(),
    frame: (frame: string | Uint8Array) =>
      read.decode(frame, { event: (event) => void events.push(event) }),
  }
}

const rubbish = (result: unknown): FrameHandler<number> => ({
  init: () => 0,
  handle: () => result as FrameResult<number>,
})

test('hands the state from frame to frame, and keeps the one that is left out', async () => {
  const states: number[] = []
  const { connect, frame } = reading<number>({
    init: () => 1,
    handle: (_frame, state) => {
      states.push(state)
      return state === 1 ? { emit: [], state: 2 } : { skip: true }
    },
  })
  await connect()
  for (let n = 0; n < 3; n++) frame('x')
  expect(states).toEqual([1, 2, 2])
})

test('emits one event, several, or those that exist already, in order', async () => {
  const whole = createEvent('b', 2, { id: 'own' })
  const { connect, frame, events } = reading({
    init: () => 0,
    handle: (text) => {
      if (text === 'one') {
        return { emit: { type: 'a', payload: 1, metadata: { source: 's', id: 'one' } } }
      }
      return { emit: [whole, { type: 'c', payload: 3 }] }
    },
  })
  await connect()
  frame('one')
  frame('more')
  expect(events).toMatchObject([
    { id: 'one', type: 'a', payload: 1, metadata: { source: 's' } },
    { id: 'own', type: 'b', payload: 2 },
    { type: 'c', payload: 3 },
  ])
  expect(events[1]).toBe(whole)
})

test('reads before any connection with a state of its own', () => {
  const { frame, events } = reading({
    init: () => 7,
    handle: (_frame, payload) => ({ emit: { type: 'a', payload } }),
  })
  frame('x')
  expect(events).toMatchObject([{ payload: 7 }])
})

test.each([
  ['nothing', undefined],
  ['a number', 7],
  ['neither emit nor skip', { state: 1 }],
  ['what is no event', { emit: { payload: 1 } }],
  ['what is no event among events', { emit: [{ type: 'a', payload: 1 }, null] }],
  ['an event of no type', { emit: { type: 'not a type', payload: 1 } }],
])('a handler that returns %s has failed, and none of it counts', async (_what, result) => {
  const { connect, frame, events, closes } = reading(rubbish(result))
  await connect()
  expect(() => frame('x')).toThrow(expect.objectContaining({ code: 'decode' }))
  expect(events).toEqual([])
  expect(closes).toEqual([[1002, 'The frame handler failed']])
})

test('reads nothing more of a connection on which the handler failed', async () => {
  let calls = 0
  const { connect, frame, closes } = reading({
    init: () => 0,
    handle: (): FrameResult<number> => {
      calls++
      throw new Error('no')
    },
  })
  await connect()
  expect(() => frame('x')).toThrow('The frame handler failed')
  frame('y')
  expect([calls, closes.length]).toEqual([1, 1])
  await connect()
  expect(() => frame('z')).toThrow('The frame handler failed')
  expect(calls).toBe(2)
})

test('leaves everything but the reading to the protocol that it is given', async () => {
  class Dialect {
    readonly name = 'dialect'
    readonly subprotocols = ['d']
    readonly capabilities = plainJson().capabilities
    readonly asked: string[] = []
    readonly #prefix = '>'
    encode(event: Event): string {
      return `${this.#prefix}${event.type}`
    }
    decode(): void {
      throw new Error('not called')
    }
    openSession(host: SessionHost): ProtocolSession {
      return plainSession(this, host)
    }
    async authenticate(): Promise<void> {
      this.asked.push(`${this.#prefix}auth`)
    }
    async subscribe(patterns: readonly string[]): Promise<void> {
      this.asked.push(`${this.#prefix}sub ${patterns.join()}`)
    }
    async unsubscribe(patterns: readonly string[]): Promise<void> {
      this.asked.push(`${this.#prefix}unsub ${patterns.join()}`)
    }
    async restore(): Promise<void> {
      this.asked.push(`${this.#prefix}restore`)
    }
    up(): void {
      this.asked.push(`${this.#prefix}up`)
    }
    close(): void {
      this.asked.push(`${this.#prefix}close`)
    }
  }
  const dialect = new Dialect()
  const { protocol, connect } = reading(rubbish({ skip: true }), dialect)
  await connect()
  const link = {} as ProtocolLink
  await protocol.subscribe?.(['a'], link)
  await protocol.unsubscribe?.(['a'], link)
  await protocol.restore?.([], link)
  protocol.up?.(link)
  protocol.close?.()
  const asked = ['>auth', '>sub a', '>unsub a', '>restore', '>up', '>close']
  expect(dialect.asked).toEqual(asked)
  expect(protocol.encode(createEvent('a', 1))).toBe('>a')
  expect(protocol).toMatchObject({ name: 'frame-handler', subprotocols: ['d'] })
  expect(reading(rubbish({ skip: true })).protocol).not.toHaveProperty('subscribe')
})

test('gives another transport a state of its own', () => {
  let inits = 0
  const { protocol, frame, events } = reading<number>({
    init: () => ++inits * 10,
    handle: (_frame, state) => ({ emit: { type: 'a', payload: state }, state: state + 1 }),
  })
  frame('x')
  protocol.clone?.().decode('x', { event: (event) => void events.push(event) })
  frame('x')
  expect(events.map(({ payload }) => payload)).toEqual([10, 20, 11])
})

test('refuses what is no handler, unknown options and a protocol whose frames are no events', () => {
  const handler = rubbish({ skip: true })
  expect(() => frameHandlerProtocol({} as typeof handler)).toThrow('`handler`')
  expect(() => frameHandlerProtocol(handler, { nam: 'x' } as object)).toThrow('`name`?')
  expect(() => frameHandlerProtocol(handler, { name: '' })).toThrow('`name`')
  expect(() => frameHandlerProtocol(handler, { protocol: busV1() as never })).toThrow(
    'Expected `protocol` to be a plain one, whose frames are events, got `bus.v1`',
  )
})
