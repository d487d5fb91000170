import { expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { collect, only, record, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, pub } from './wire-client.ts'

/** The line of an event whose body is nested so deep in all; the body itself is the first level. */
function nested(n: number, depth: number): string {
  const levels = depth - 1
  const payload = `${'['.repeat(levels)}${']'.repeat(levels)}`
  return `pub ${n} order.created id-${n} {"payload":${payload},"metadata":{"timestamp":1}}`
}

test.each([
  [2, 'handled'],
  [63, 'handled'],
  [64, 'handled'],
  [65, 'a dead letter'],
  [10_000, 'a dead letter'],
  [120_000, 'a dead letter'],
])(
  'an event that is nested %i deep is %s, and the next one is handled [F70]',
  async (depth, end) => {
    const hub = await startHub()
    const reader = transportTo(hub, { protocol: busV1() })
    const notices = record(reader)
    const sink = await collect(reader, 'order.*')
    const publisher = await greet(hub)
    // The hub does not look into a body, so it is not what breaks.
    publisher.say(nested(1, depth))
    publisher.say(pub(2, 'next'))
    await publisher.line('ok 2')
    await until(() => sink.payloads.includes('next'), 'the next event')
    expect(sink.events).toHaveLength(end === 'handled' ? 2 : 1)
    const letters = only(notices, 'undeliverable').map(({ reason }) => reason)
    expect(letters).toEqual(end === 'handled' ? [] : ['undecodable'])
    expect(only(notices, 'close')).toEqual([])
  },
)
