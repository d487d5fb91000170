import { createEvent } from '@bus/core'
import { expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { collect, serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, pub } from './wire-client.ts'

const KEYS = 131_072

/** A frame of the plain wire whose payload has so many names. */
const frameWith = (keys: number, name: (n: number) => string): string => {
  const members = Array.from({ length: keys }, (_, n) => `"${name(n)}":1`)
  return `{"id":"id","event_type":"a","payload":{${members.join(',')}},"metadata":{}}`
}

test.each<[string, (n: number) => string]>([
  ['words', (n) => `k${n}`],
  // Apart by a power of two: in a table that takes a number for its own hash, they all want the same place.
  ['numbers that collide', (n) => String((n * 131_072) % 4_294_967_291)],
])('an event with very many names arrives, also when they are %s [F72]', async (_what, name) => {
  // Looking at each name for each other one would take many minutes.
  const keys = 4 * KEYS
  const server = await serve()
  const transport = transportTo(server, { maxMessageBytes: 16_777_216 })
  const sink = await collect(transport)
  server.inject(frameWith(keys, name))
  await until(() => sink.events.length === 1, 'it arrives')
  expect(Object.keys(sink.events[0]?.payload as object)).toHaveLength(keys)
})

test('how many names an event can have is bounded by its size, on both sides [F72]', async () => {
  const hub = await startHub()
  const transport = transportTo(hub, { protocol: busV1() })
  const payload = Object.fromEntries(Array.from({ length: KEYS }, (_, n) => [n, 1]))
  const refused = { code: 'too-large', outcome: 'not-sent' }
  await expect(transport.publish(createEvent('a', payload))).rejects.toMatchObject(refused)
  const other = await greet(hub)
  other.say(pub(1, payload).slice(0, 300_000).concat('":1}}'))
  expect(await other.line('no ')).toBe('no 1 size')
  expect(hub.stats()).toMatchObject({ badFrames: 0, busV1: { published: 0, refused: 1 } })
})
