/** Types and patterns that mean something to a medium behind the hub, and what of them gets there: nothing. */
import { createEvent, type Event, type Transport } from '@bus/core'
import { memoryMedium, memoryTransport } from '@bus/core/memory'
import { expect, test } from 'vitest'
import { until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { greet, pub } from './wire-client.ts'

const HOSTILE: readonly string[] = [
  '*',
  '>',
  'a.*',
  'a.>',
  '$JS.API.STREAM.DELETE.orders',
  '$SYS.REQ.SERVER.PING',
  '_INBOX.$x',
  'a..b',
  '.a',
  'a.',
  'a b',
  'a\tb',
  'a\r',
  'a%0d%0aPUB x 1',
  'a\u0000b',
  'a/b',
  'a:b',
  'a+b',
  'a#',
  '{a}b',
  'a[b]',
  'a?',
  'KEYS[1]',
  '__keyspace@0__:a',
  'ünï',
  'a\u202eb',
  'a\u2028b',
  "a'b",
  'a"b',
  'a\\b',
  Array.from({ length: 17 }, () => 'a').join('.'),
  'a'.repeat(256),
]

/** A memory transport, and what was published to it. */
function watched(): { readonly backend: Transport; readonly taken: Event[] } {
  const inner = memoryTransport({ medium: memoryMedium() })
  const taken: Event[] = []
  const backend = new Proxy(inner, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (name !== 'publish') return member.bind(target)
      return (event: Event, ...rest: []) => {
        taken.push(event)
        return target.publish(event, ...rest)
      }
    },
  })
  return { backend, taken }
}

test.each(HOSTILE)(
  'a type that a medium could read otherwise gets to none: %j [F148]',
  async (type) => {
    const { backend, taken } = watched()
    const hub = await startHub({ backend })
    const client = await greet(hub)
    client.say(pub(1, 1, type))
    client.say(pub(2, 2, 'last'))
    // Refused by its number, or the whole line means nothing.
    await Promise.race([client.line('ok 2'), client.closed])
    const plain = await join(hub)
    plain.send(JSON.stringify({ id: 'i', event_type: type, payload: 1, metadata: {} }))
    await until(() => hub.stats().unbridged === 1, 'the plain wire')
    expect(taken.map((event) => event.type)).toEqual(client.heard('ok').length > 0 ? ['last'] : [])
  },
)

test.each(HOSTILE.filter((type) => !['*', '>', 'a.*', 'a.>'].includes(type)))(
  'a pattern that means more than ours is no pattern: %j [F148]',
  async (pattern) => {
    const hub = await startHub()
    const client = await greet(hub)
    client.say(`sub 1 ${pattern} alo`)
    const { code, reason } = await client.closed
    expect(code).toBe(4400)
    expect(reason).toMatch(/^(sub (pattern|fields|mode)|line verb|verb verb)$/)
  },
)

test.each(HOSTILE)('our client does not even make an event of the type %j [F148]', (type) => {
  expect(() => createEvent(type, 1)).toThrow(expect.objectContaining({ code: 'config' }) as Error)
})
