import { createEvent } from '@bus/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OutboxEntry } from '../outbox/outbox.ts'
import { MessageText, lineBytes } from './publisher.ts'

const entryOf = (body: string): OutboxEntry =>
  new OutboxEntry(createEvent('order.created', 0, { id: 'i-1' }), body)

test('a message without lines is empty', () => {
  expect(new MessageText('').isEmpty).toBe(true)
  expect(new MessageText('ack 1').isEmpty).toBe(false)
  expect(new MessageText('ack 1').toBytes().toString()).toBe('ack 1')
})

// Below and above the length from which on a body is written by itself; in one byte, two and more a character.
const body = fc
  .tuple(fc.constantFrom('a', 'ä', '€', '😀', '"'), fc.constantFrom(0, 1, 600, 1_023, 1_024, 5_000))
  .map(([char, length]) => JSON.stringify({ payload: char.repeat(length) }))

test('the bytes are the lines in UTF-8, as many as were counted, and none is taken for too small', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('', 'ack 17'),
      fc.array(body, { maxLength: 8 }),
      (start, bodies) => {
        const message = new MessageText(start)
        const lines: string[] = start === '' ? [] : [start]
        for (const [i, text] of bodies.entries()) {
          const verb = i % 3 === 0 ? 'rep' : 'pub'
          const number = i % 2 === 0 ? i + 1 : '-'
          const before = message.bytes
          message.add(verb, number, entryOf(text))
          expect(message.bytes - before).toBeLessThanOrEqual(lineBytes(entryOf(text)))
          lines.push(`${verb} ${number} order.created i-1 ${text}`)
        }
        expect(message.toBytes().toString()).toBe(lines.join('\n'))
        expect(message.toBytes().length).toBe(message.bytes)
      },
    ),
  )
})
