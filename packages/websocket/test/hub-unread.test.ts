/** A client that subscribes to everything and reads nothing. */
import { expect, test } from 'vitest'
import { until } from './harness.ts'
import { startHubChild } from './hub-child.ts'
import { startHub } from './hub-clients.ts'
import { dial, greet, pub, sub } from './wire-client.ts'

const MIB = 1_048_576
const LARGE = 'x'.repeat(50_000)

test.each(['alo', 'amo'] as const)(
  'sixty megabytes for a client that reads none of them (%s) delay no other client for long, and stay out of memory [F161]',
  async (mode) => {
    const hub = await startHubChild({ hub: { holdMs: 200, log: { maxBytes: 4 * MIB } } })
    const frozen = await greet(hub, { subs: [sub(1, '>', mode)] })
    frozen.ws.pause()
    const reader = await greet(hub, { subs: [sub(1, 'small')] })
    const publisher = await greet(hub)
    const before = await hub.ask('memory')
    let peak = 0
    for (let n = 1; n <= 1_200; n++) {
      publisher.say(pub(n, LARGE))
      if (n % 100 > 0) continue
      await publisher.line(`ok ${n}`)
      peak = Math.max(peak, (await hub.ask('memory')) - before)
    }
    // The log, what waits in one socket, and what the publisher had under way.
    expect(peak).toBeLessThan(30 * MIB)
    publisher.say(pub(1_201, 'others go on', 'small'))
    await reader.events(1)
    const { connections, busV1 } = await hub.ask('stats')
    expect([connections, busV1.held, busV1.published]).toEqual([3, 0, 1_201])
  },
)

test('it is cut when two pings find it reading nothing, and it counts no longer [F161]', async () => {
  const hub = await startHub({ heartbeatMs: 100, limits: { connections: 1 } })
  const frozen = await greet(hub, { subs: [sub(1, '>')] })
  frozen.ws.pause()
  await until(() => hub.stats().connections === 0, 'it is cut')
  await greet(hub)
})

test('one that asks on and on and reads no answer is cut when two megabytes of them wait [F161]', async () => {
  const hub = await startHub()
  const frozen = await greet(hub)
  frozen.ws.pause()
  let asked = 0
  await until(() => {
    // The first ones are taken, the rest is refused: each has an answer of its own.
    frozen.say(...Array.from({ length: 10_000 }, () => `sub ${++asked} t alo`))
    return hub.stats().connections === 0
  }, 'it is cut')
  frozen.ws.resume()
  await expect(frozen.closed).resolves.toMatchObject({ code: 1006 })
  expect(asked).toBeGreaterThan(100_000)
})

test('one that never says hello and reads nothing has its time, and no more [F161]', async () => {
  const hub = await startHub({ helloMs: 50, closeMs: 100 })
  const silent = await dial(hub)
  silent.ws.pause()
  await until(() => hub.stats().connections === 0, 'it is cut')
  expect(silent.lines).toEqual([])
})
