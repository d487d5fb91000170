import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createBus } from '@bus/core'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { busV1 } from '../src/index.ts'
import { transportTo, until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { greet, pub, pubs, sub, type WireClient } from './wire-client.ts'

/** The answer with which a handshake is refused. */
async function refusalOf(url: string, protocol: 'bus.v1' | 'plain'): Promise<IncomingMessage> {
  const ws = new WebSocket(url, protocol === 'plain' ? [] : [protocol])
  ws.on('error', () => {})
  const [, response] = (await once(ws, 'unexpected-response')) as [unknown, IncomingMessage]
  ws.terminate()
  return response
}

/** Events with large payloads, numbered from 1. */
const large = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => pub(i + 1, `${i + 1}${'x'.repeat(1_000)}`))

const lastLine = (client: WireClient): string => client.lines.at(-1) ?? ''

test('limits.heldBytes: the publisher with most waiting events is sent away, and nothing of it is lost', async () => {
  const hub = await startHub({ log: { maxEvents: 1 }, limits: { heldBytes: 10_000 } })
  const [small, big] = await Promise.all([greet(hub), greet(hub)])
  const lines = large(21)
  big.say(...lines.slice(0, 1))
  await big.line('ok 1')
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  small.say(pub(1, 'first'))
  await small.line('ok 1')
  small.say(...pubs(2, 3))
  await small.settled()
  const { sid, epoch } = big.welcome
  big.say(...lines.slice(1))
  await expect(big.closed).resolves.toEqual({ code: 4503, reason: 'held' })
  expect(lastLine(big)).toBe('bye {"code":4503,"retryAfterMs":1000,"spreadMs":1000}')
  await until(() => hub.stats().connections === 2, 'it is gone')
  expect(hub.stats().busV1).toMatchObject({ sentAway: 1, held: 2, shed: 0 })
  expect(hub.stats().busV1.heldBytes).toBeLessThan(1_000)
  // Those of the other still wait, and go on.
  reader.say('ack 2')
  await reader.events(2)
  reader.say('ack 3')
  await small.line('ok 3')
  const again = await greet(hub, { sid, epoch })
  expect(again.welcome).toMatchObject({ resumed: true, last: 1, refused: [] })
  again.say(...lines.slice(1, 6))
  for (let events = 3; events <= 8; events++) {
    await reader.events(events)
    reader.say(`ack ${events + 1}`)
  }
  await again.line('ok 6')
})

test('limits.heldBytes: a publisher with little that comes last is let in at the cost of the one with most', async () => {
  const hub = await startHub({ log: { maxEvents: 1 }, limits: { heldBytes: 10_000 } })
  await greet(hub, { subs: [sub(1, '>')] })
  const [greedy, modest] = await Promise.all([greet(hub), greet(hub)])
  greedy.say(...large(8))
  await until(() => hub.stats().busV1.heldBytes > 8_000, 'nearly all is taken')
  modest.say(...large(3))
  await expect(greedy.closed).resolves.toMatchObject({ code: 4503 })
  await modest.settled()
  expect(modest.ws.readyState).toBe(modest.ws.OPEN)
  expect(hub.stats().busV1).toMatchObject({ held: 3, sentAway: 1 })
})

test('limits.heldBytes: tiny events count for what their keeping costs', async () => {
  const hub = await startHub({ graceMs: 5_000, limits: { heldBytes: 10_000 } })
  const publisher = await greet(hub)
  publisher.say(...Array.from({ length: 100 }, (_, i) => `pub ${i + 1} a i {}`))
  await expect(publisher.closed).resolves.toMatchObject({ code: 4503 })
})

test('limits.heldBytes: an event that is alone waits, whatever its size', async () => {
  const hub = await startHub({ graceMs: 60, limits: { heldBytes: 1 } })
  const publisher = await greet(hub)
  publisher.say(...large(1))
  await publisher.line('ok 1')
  expect(hub.stats().busV1).toMatchObject({ sentAway: 0, heldBytes: 0 })
})

test('limits.heldBytes: an at-most-once event beyond it is dropped and counted, and no publisher is sent away', async () => {
  const hub = await startHub({ graceMs: 5_000, limits: { heldBytes: 3_000 } })
  const publisher = await greet(hub)
  publisher.say(...Array.from({ length: 5 }, () => pub('-', 'x'.repeat(1_000))))
  await publisher.settled()
  expect(hub.stats().busV1).toMatchObject({ held: 2, shed: 3, sentAway: 0 })
  // With a number it counts, so the publisher goes, and what it held without one is gone.
  publisher.say(...large(1))
  await expect(publisher.closed).resolves.toMatchObject({ code: 4503 })
  expect(hub.stats().busV1).toMatchObject({ held: 0, shed: 5, sentAway: 1 })
})

test('limits.heldBytes: our client comes back by itself, and every publish is confirmed once', async () => {
  const hub = await startHub({ graceMs: 300, limits: { heldBytes: 20_000 } })
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const transport = transportTo(hub, { protocol: busV1() })
  const bus = createBus({ transport })
  onTestFinished(() => bus.close())
  const numbers = Array.from({ length: 100 }, (_, n) => n)
  const receipts = await Promise.all(numbers.map((n) => bus.publish('order.created', n)))
  expect(new Set(receipts.map(({ status }) => status))).toEqual(new Set(['confirmed']))
  await reader.events(100)
  expect(reader.payloads).toEqual(numbers)
  expect(hub.stats().busV1.sentAway).toBeGreaterThan(0)
})

test('limits.subscriptions: one more than that over all sessions is refused, until one ends [F154]', async () => {
  const hub = await startHub({ limits: { subscriptions: 3 }, sessionTtlMs: 40 })
  const a = await greet(hub, { subs: [sub(1, 'a'), sub(2, 'b')] })
  const b = await greet(hub, { subs: [sub(1, 'a'), sub(2, 'b')] })
  expect(b.welcome.subs).toEqual([
    { id: 1, offset: 0 },
    { id: 2, code: 'limit' },
  ])
  expect(hub.stats().busV1.subscriptions).toBe(3)
  b.say('sub 3 c alo')
  await b.line('subno 3 limit')
  a.say('unsub 1')
  await a.settled()
  b.say('sub 4 c alo')
  await b.line('subok 4')
  // Those of a session that ends are free again.
  a.ws.terminate()
  await until(() => hub.stats().busV1.sessions === 1, 'the session of a ends')
  expect(hub.stats().busV1.subscriptions).toBe(2)
  b.say('sub 5 d alo')
  await b.line('subok 5')
})

test('limits.subscriptions: who resumes keeps what it had', async () => {
  const hub = await startHub({ limits: { subscriptions: 2 } })
  const subs = [sub(1, 'a'), sub(2, 'b')]
  const first = await greet(hub, { subs })
  const { sid, epoch } = first.welcome
  first.ws.terminate()
  const second = await greet(hub, { sid, epoch, offset: 0, subs })
  expect(second.welcome).toMatchObject({ resumed: true, subs: [{ offset: 0 }, { offset: 0 }] })
  expect(hub.stats().busV1.subscriptions).toBe(2)
})

test.each(['bus.v1', 'plain'] as const)(
  'limits.connectionsPerIp: one more from an address gets 429 and when to come back (%s)',
  async (protocol) => {
    const hub = await startHub({ host: '0.0.0.0', limits: { connectionsPerIp: 2 } })
    const url = `ws://127.0.0.1:${hub.port}`
    const [, plain] = await Promise.all([greet({ url }), join({ url })])
    const response = await refusalOf(url, protocol)
    expect(response.statusCode).toBe(429)
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
    expect(hub.stats()).toMatchObject({ connections: 2, refusedPerIp: 1 })
    // A connection that ends counts no longer.
    plain.ws.terminate()
    await until(() => hub.stats().connections === 1, 'one is gone')
    await join({ url })
  },
)

test('limits.connectionsPerIp: another address is counted by itself, and no header makes one [F152]', async () => {
  const hub = await startHub({ host: '0.0.0.0', limits: { connectionsPerIp: 1 } })
  const url = `ws://127.0.0.1:${hub.port}`
  await join({ url })
  await join({ url }, { localAddress: '127.0.0.2' })
  const headers = { 'x-forwarded-for': '192.0.2.7', forwarded: 'for=192.0.2.7' }
  await expect(join({ url }, { headers })).rejects.toThrow('429')
})

test('limits.connectionsPerIp: a handshake that is refused for another reason does not count', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token }) => (token === 'good' ? { id: 'somebody' } : null),
    limits: { connectionsPerIp: 1 },
  })
  for (let i = 0; i < 3; i++) await expect(join(hub)).rejects.toThrow('401')
  const headers = { authorization: 'Bearer good' }
  await until(() => hub.stats().connections === 0, 'no connection is left')
  await join(hub, { headers })
  await expect(join(hub, { headers })).rejects.toThrow('429')
})
