import { createBus } from '@bus/core'
import { expect, onTestFinished, test } from 'vitest'
import type { Principal } from '../src/hub/index.ts'
import { busV1 } from '../src/index.ts'
import { transportTo, until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { rawFrame, rawPeer } from './raw-peer.ts'
import { dial, greet, pub, sub, type WireClient } from './wire-client.ts'

const byToken = ({ token }: { readonly token: string | undefined }): Principal | null =>
  token === undefined ? null : { id: token }

/** How long the hub says that it takes nothing more. */
async function waitOf(client: WireClient, reason = 'rate'): Promise<number> {
  await expect(client.closed).resolves.toEqual({ code: 4429, reason })
  const bye = JSON.parse(client.heard('bye')[0] ?? '') as { code: number; retryAfterMs: number }
  expect(bye.code).toBe(4429)
  return bye.retryAfterMs
}

test('a connection that sends more messages than it may is ended with 4429, and nothing more of it counts [F151]', async () => {
  const hub = await startHub({ limits: { rate: { messages: 5 } } })
  const [flood, calm] = [await greet(hub), await greet(hub, { subs: [sub(1, '>')] })]
  for (let n = 1; n <= 50; n++) flood.say(pub(n, n))
  expect(await waitOf(flood)).toBeGreaterThanOrEqual(1_000)
  await calm.events(4)
  calm.say(pub(1, 'on'))
  await calm.line('ok 1')
  // The greeting was the first of five.
  expect(calm.payloads).toEqual([1, 2, 3, 4, 'on'])
  expect(hub.stats()).toMatchObject({ floods: 1, busV1: { published: 5 } })
})

test('bytes count as well, and one large message has to be made up for [F151]', async () => {
  const hub = await startHub({ limits: { rate: { bytes: 1_000 } } })
  const client = await greet(hub)
  client.say(pub(1, 'x'.repeat(10_000)))
  await client.line('ok 1')
  client.say(pub(2, 2))
  // Nine thousand bytes too many, at a thousand a second.
  expect(await waitOf(client)).toBeGreaterThan(8_000)
  expect(hub.stats().busV1.published).toBe(1)
})

test.each(['ping', 'pong'] as const)(
  'a flood of %ss is ended with 4429, although nothing is published [F151]',
  async (frame) => {
    const hub = await startHub({ limits: { rate: { controlFrames: 20 } } })
    const [client, other] = [await greet(hub), await greet(hub)]
    for (let n = 0; n < 20; n++) client.ws[frame]()
    await client.line('welcome ')
    client.ws[frame]()
    expect(await waitOf(client, 'control frames')).toBeGreaterThanOrEqual(1_000)
    await other.settled()
  },
)

test('nothing more is read from a flood, and it is cut when it does not go [F151]', async () => {
  const hub = await startHub({ closeMs: 300, limits: { rate: { messages: 1 } } })
  const peer = await rawPeer(hub.port)
  const message = rawFrame({ opcode: 1, payload: 'x'.repeat(60_000) })
  for (let n = 0; n < 1_000; n++) peer.write(message)
  await until(() => hub.stats().floods === 1, 'it is reported')
  // Sixty megabytes are more than the buffers of the kernel on the way hold.
  expect(peer.socket.writableLength).toBeGreaterThan(1_000_000)
  await until(() => hub.stats().connections === 0, 'it is cut')
  expect(hub.stats().received).toBe(1)
})

test('all connections of a principal share its rate, and a new one brings none [F151]', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: byToken,
    limits: { principalRate: { messages: 3 } },
  })
  const bob = await greet(hub, { token: 'bob' })
  const alices: WireClient[] = []
  for (let n = 0; n < 2; n++) alices.push(await greet(hub, { token: 'alice' }))
  const [one, two] = alices
  one?.say(pub(1, 1))
  one?.say(pub(2, 2))
  two?.say(pub(1, 3))
  two?.say(pub(2, 4))
  await until(() => hub.stats().floods > 0, 'one too many')
  const third = await dial(hub)
  third.say('hello {"v":1,"subs":[],"token":"alice"}')
  await third.line('welcome ')
  for (let n = 1; n <= 4; n++) third.say(pub(n, n))
  await waitOf(third)
  bob.say(pub(1, 1))
  await bob.line('ok 1')
})

test('those without credentials are no principal together [F151]', async () => {
  const hub = await startHub({ limits: { principalRate: { messages: 2 } } })
  const client = await greet(hub)
  for (let n = 1; n <= 5; n++) client.say(pub(n, n))
  await client.line('ok 5')
  expect(hub.stats().floods).toBe(0)
})

test('on the plain wire it is the same, for a connection and for a principal [F151]', async () => {
  const hub = await startHub({
    authenticate: byToken,
    limits: { rate: { messages: 3 }, principalRate: { messages: 4 } },
  })
  const reader = await join(hub)
  const loud = await join(hub)
  for (let n = 0; n < 10; n++) loud.send(`loud ${n}`)
  await expect(loud.closed).resolves.toEqual({ code: 4429, reason: 'rate' })
  const headers = { authorization: 'Bearer alice' }
  const [one, two] = [await join(hub, { headers }), await join(hub, { headers })]
  for (let n = 0; n < 3; n++) one.send(`one ${n}`)
  await until(() => reader.frames.length === 6, 'all that may come')
  two.send('two 0')
  two.send('two 1')
  await expect(two.closed).resolves.toEqual({ code: 4429, reason: 'rate' })
  expect(reader.frames).toEqual(
    ['loud 0', 'loud 1', 'loud 2', 'one 0', 'one 1', 'one 2', 'two 0'].slice(0, 7),
  )
  for (let n = 0; n < 4; n++) reader.ws.ping()
  expect(hub.stats().floods).toBe(2)
})

test('our client comes back when it may, and every publish is confirmed once [F151]', async () => {
  const hub = await startHub({ limits: { rate: { messages: 4 } } })
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const bus = createBus({ transport: transportTo(hub, { protocol: busV1() }) })
  onTestFinished(() => bus.close())
  for (let n = 0; n < 5; n++) await bus.publish('a', n)
  await reader.events(5)
  expect(reader.payloads).toEqual([0, 1, 2, 3, 4])
  expect(hub.stats().floods).toBeGreaterThan(0)
})

test('limits.publishPerSecond refuses events one by one, and the link stays [F151]', async () => {
  const hub = await startHub({ limits: { publishPerSecond: 2 } })
  const client = await greet(hub)
  client.say(...Array.from({ length: 6 }, (_, i) => pub(i + 1, i)))
  await client.line('ok 6')
  expect(client.heard('no')).toEqual(['3 rate', '4 rate', '5 rate', '6 rate'])
  await client.settled()
})
