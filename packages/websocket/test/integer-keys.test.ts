import { createEvent } from '@bus/core'
import { expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { collect, serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, pub } from './wire-client.ts'

const KEYS = 131_072

/** A frame of the plain wire whose payload has so many names. */
const frameWith = (name: (n: number) => string): string => {
  const members = Array.from({ length: KEYS }, (_, n) => `"${name(n)}":1`)
  return `{"id":"id","event_type":"a","payload":{${members.join(',')}},"metadata":{}}`
}

/** Milliseconds from sending to handling, the best of three. */
async function timeOf(frame: string): Promise<number> {
  const server = await serve()
  const transport = transportTo(server, { maxMessageBytes: 8_388_608 })
  const sink = await collect(transport)
  let best = Infinity
  for (let run = 1; run <= 3; run++) {
    const start = performance.now()
    server.inject(frame)
    await until(() => sink.events.length === run, 'it arrives')
    best = Math.min(best, performance.now() - start)
  }
  expect(Object.keys(sink.events[0]?.payload as object)).toHaveLength(KEYS)
  return best
}

test('names that look like numbers cost no more than other names, however they collide [F72]', async () => {
  const words = await timeOf(frameWith((n) => `k${n}`))
  // Apart by a power of two: in a table that takes a number for its own hash, they all want the same place.
  const numbers = await timeOf(frameWith((n) => String((n * 131_072) % 4_294_967_291)))
  expect(numbers).toBeLessThan(20 * words)
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
