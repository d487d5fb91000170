/** A link that is alive in every way but one: what we publish does not get through. */
import { createEvent } from '@bus/core'
import { startChaosProxy } from '@bus/testing/chaos'
import { expect, onTestFinished, test } from 'vitest'
import { busV1, type WebSocketTransport } from '../src/index.ts'
import {
  FastClock,
  collect,
  numbered,
  only,
  record,
  resources,
  leavesNothing,
  transportTo,
  until,
} from './harness.ts'
import { startHub } from './hub-clients.ts'
import { confirm, limitsOf, startLiteralHub, type LiteralHub } from './literal-hub.ts'
import { greet, pub, sub } from './wire-client.ts'

/** How often this hub says `ok`, in milliseconds. */
const OK_MS = 20

/** A hub that swallows everything on its first link but pings, and what it was told by its welcome to promise. */
function deafHub(limits: object): Promise<LiteralHub> {
  return startLiteralHub({
    answer: (line, index) => (index === 0 ? undefined : confirm(line)),
    welcome: ({ sid }) => ({ ...limitsOf(limits), resumed: sid !== undefined }),
  })
}

const patientWith = (hub: { readonly url: string }, progressMs: number): WebSocketTransport =>
  transportTo(hub, { protocol: busV1({ progressMs }) })

test('a hub that answers pings and confirms nothing is left for a new link, on which all is confirmed once [F4]', async () => {
  const hub = await deafHub({ okMs: OK_MS })
  const transport = patientWith(hub, 100)
  const notices = record(transport)
  const events = numbered(3)
  const receipts = await Promise.all(events.map((event) => transport.publish(event)))
  expect(receipts.map(({ status, attempts }) => `${status} ${attempts}`)).toEqual(
    Array(3).fill('confirmed 2'),
  )
  expect(hub.events(1)).toEqual(events.map(({ id }, i) => `pub ${i + 1} ${id}`))
  expect(only(notices, 'close')).toMatchObject([{ code: 1006, initiatedBy: 'local' }])
  expect(only(notices, 'error')).toMatchObject([
    { kind: 'connection', error: { code: 'heartbeat-timeout' } },
  ])
  expect(only(notices, 'heartbeat-timeout')).toEqual([])
})

test('a hub that holds events and says so is waited for, however long it takes [F4]', async () => {
  const hub = await deafHub({ okMs: OK_MS })
  const transport = patientWith(hub, 100)
  const receipt = transport.publish(createEvent('a', 1))
  await hub.hears('pub')
  const since = performance.now()
  // Said more often than is promised, so that a stall of this machine makes no difference.
  await until(() => {
    hub.say('ok 0')
    return performance.now() - since > 600
  }, 'six times the limit passes')
  hub.say('ok 1')
  expect(await receipt).toMatchObject({ status: 'confirmed', attempts: 1 })
  expect(hub.hellos).toHaveLength(1)
})

test('a word that comes late, behind what else the hub has sent, is waited for [F4]', async () => {
  const hub = await deafHub({ okMs: OK_MS })
  const proxy = await startChaosProxy({ targetPort: hub.server.port })
  onTestFinished(() => proxy.close())
  const transport = patientWith({ url: `ws://127.0.0.1:${proxy.port}` }, 1_000)
  const receipt = transport.publish(createEvent('a', 1))
  await hub.hears('pub')
  const since = performance.now()
  // What is said now is read after more than the limit, and before the answer to any ping that is sent by then.
  proxy.hole(1_500, 'downstream')
  hub.say('ok 1')
  expect(await receipt).toMatchObject({ status: 'confirmed', attempts: 1 })
  expect(performance.now() - since).toBeGreaterThan(1_400)
  expect(hub.hellos).toHaveLength(1)
})

test('a hub that promises no word is waited for as well, and so is one that owes nothing', async () => {
  const silent = await deafHub({})
  const idle = await startLiteralHub({ welcome: () => limitsOf({ okMs: OK_MS }) })
  const receipt = patientWith(silent, 1).publish(createEvent('a', 1))
  await silent.hears('pub')
  await patientWith(idle, 100).publish(createEvent('a', 1))
  const since = performance.now()
  await until(() => performance.now() - since > 400, 'four times the limit passes')
  silent.say('ok 1')
  expect(await receipt).toMatchObject({ attempts: 1 })
  expect([silent.hellos.length, idle.hellos.length]).toEqual([1, 1])
})

test('the limit is at least twice what the hub promises, and leaves no timer', async () => {
  const before = resources()
  const hub = await deafHub({ okMs: 100 })
  const clock = new FastClock(1)
  const transport = transportTo(hub, {
    clock,
    heartbeat: false,
    protocol: busV1({ progressMs: 1 }),
  })
  await transport.publish(createEvent('a', 1))
  expect(clock.waits).toContain(200)
  await transport.close()
  await hub.server.close()
  await expect(leavesNothing(before)).resolves.toBeUndefined()
})

test('a link on which our lines vanish while events arrive is replaced, and every publish is confirmed [F3]', async () => {
  const hub = await startHub()
  const proxy = await startChaosProxy({ targetPort: hub.port })
  onTestFinished(() => proxy.close())
  const url = `ws://127.0.0.1:${proxy.port}`
  // Ten seconds take half of one.
  const clock = new FastClock(20)
  const transport = transportTo({ url }, { clock, heartbeat: false, protocol: busV1() })
  const mine = await collect(transport, 'a')
  const other = transportTo(hub, { protocol: busV1() })
  await other.connect()
  proxy.hole(60_000, 'upstream')
  const over = new AbortController()
  const receipts = Promise.all(numbered(5, 'b').map((event) => transport.publish(event)))
  const chatter = (async () => {
    for (let n = 0; !over.signal.aborted; n++) {
      await other.publish(createEvent('a', n))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  expect((await receipts).map(({ attempts }) => attempts)).toEqual(Array(5).fill(2))
  over.abort()
  await chatter
  expect(transport.stats().reconnects).toBe(1)
  expect(mine.events.length).toBeGreaterThan(10)
  expect(hub.stats().busV1).toMatchObject({ published: hub.stats().busV1.log.lastOffset })
})

test('our hub says ok again and again to a publisher whose events wait for a slow subscriber [F3, F4]', async () => {
  const hub = await startHub({ confirm: 'subscribers', graceMs: 0, holdMs: 60_000 })
  const reader = await greet(hub, { subs: [sub(1, 'a')] })
  const publisher = await greet(hub)
  publisher.say(pub(1, 1, 'a'))
  await reader.line('ev 1 ')
  await until(() => publisher.heard('ok').length >= 2, 'two words')
  expect(publisher.heard('ok')).toEqual(publisher.heard('ok').map(() => '0'))
  reader.say('ack 1')
  await publisher.line('ok 1')
  expect(publisher.welcome.limits.okMs).toBe(2_000)
})
