import { createEvent, type Event } from '@bus/core'
import { expect, test } from 'vitest'
import { overlay } from './overlay.ts'
import { plainJson } from './plain-json.ts'
import { plainSession } from './plain-session.ts'
import type {
  Frame,
  PlainProtocol,
  ProtocolCapabilities,
  ProtocolSession,
  SessionHost,
} from './protocol.ts'

/** A dialect as a class, with a state that only its own methods can see. */
class Counting implements PlainProtocol {
  readonly name = 'counting'
  readonly subprotocols = ['c1']
  #encoded = 0

  get capabilities(): ProtocolCapabilities {
    return { ...plainJson().capabilities, echo: this.#encoded > 0 }
  }

  encode(event: Event): Frame {
    this.#encoded++
    return `${event.type} ${this.#encoded}`
  }

  decode(): void {}

  openSession(host: SessionHost): ProtocolSession {
    return plainSession(this, host)
  }
}

test('an overlay changes what it names and leaves all else to the protocol, also where that is a class', () => {
  const decoded: Frame[] = []
  const layered = overlay(new Counting(), { decode: (frame) => void decoded.push(frame) })
  expect(layered.name).toBe('counting')
  expect(layered.subprotocols).toEqual(['c1'])
  expect(layered.capabilities.echo).toBe(false)
  expect(layered.encode(createEvent('a', 1))).toBe('a 1')
  expect(layered.encode(createEvent('a', 1))).toBe('a 2')
  expect(layered.capabilities.echo).toBe(true)
  layered.decode('x', { event: () => {} })
  expect(decoded).toEqual(['x'])
})

test('an overlay has no member that neither it nor the protocol has, and works on a frozen one', () => {
  const layered = overlay(plainJson(), { name: 'mine' })
  expect(layered.name).toBe('mine')
  expect(Object.keys(layered).toSorted()).toEqual(Object.keys(plainJson()).toSorted())
  expect('subscribe' in layered).toBe(false)
  expect(overlay(layered, { name: 'theirs' }).name).toBe('theirs')
})
