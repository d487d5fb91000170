/** The plain wire of the hub is no way round what holds on `bus.v1`. */
import { once } from 'node:events'
import { createBus } from '@bus/core'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { webSocketTransport } from '../src/index.ts'
import { frameOf, until } from './harness.ts'
import { join, joinFrozen, startHub } from './hub-clients.ts'
import { greet, pub, pubs, sub } from './wire-client.ts'

test('an event of the plain wire reaches a session that is between two links [F1]', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, 'a')] })
  const { sid, epoch } = reader.welcome
  const plain = await join(hub)
  reader.ws.terminate()
  await until(() => hub.stats().connections === 1, 'the hub sees the break')
  plain.send(frameOf('a', 1))
  await until(() => hub.stats().busV1.published === 1, 'it is in the log')
  const again = await greet(hub, { sid, epoch, offset: 0, subs: [sub(1, 'a')] })
  await again.events(1)
  expect(again.payloads).toEqual([1])
})

test('a plain connection that answers no ping is cut after two of them, and one that does is not [F1]', async () => {
  const hub = await startHub({ heartbeatMs: 100 })
  const [alive, dead] = [await join(hub), await joinFrozen(hub)]
  let pings = 0
  alive.ws.on('ping', () => pings++)
  await until(() => hub.stats().connections === 1, 'the dead one is cut')
  await until(() => pings >= 4, 'more pings')
  expect(hub.stats().connections).toBe(1)
  dead.ws.resume()
  await expect(dead.closed).resolves.toMatchObject({ code: 1006 })
})

test('a plain client that is revoked publishes nothing any more, whether or not it answers the close', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token }) => ({ id: token ?? '' }),
  })
  const reader = await greet(hub, { token: 'reader', subs: [sub(1, '>')] })
  const revoked = await join(hub, { headers: { authorization: 'Bearer mallory' } })
  revoked.send(frameOf('a', 'before'))
  await reader.events(1)
  hub.revoke('mallory')
  // In the same turn, so that it has not seen the close yet.
  for (let n = 0; n < 10; n++) revoked.send(frameOf('a', 'after'))
  await expect(revoked.closed).resolves.toMatchObject({ code: 4403 })
  await reader.settled()
  expect(reader.payloads).toEqual(['before'])
})

test('a plain client may publish no larger events, and no more of them in a second', async () => {
  const hub = await startHub({ limits: { publishPerSecond: 10, maxEventBytes: 1_000 } })
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const [sender, other] = [await join(hub), await join(hub)]
  sender.send(frameOf('a', 'x'.repeat(2_000)))
  for (let n = 0; n < 100; n++) sender.send(frameOf('a', n))
  await until(() => hub.stats().received === 101, 'all came')
  await until(() => other.frames.length >= 10 && reader.payloads.length >= 10, 'what is within')
  const { refused } = hub.stats()
  // A token or two may have been earned meanwhile.
  expect(refused).toBeGreaterThan(50)
  expect(other.frames).toHaveLength(101 - refused)
  await until(() => reader.payloads.length === 101 - refused, 'the same on the other wire')
  expect(sender.ws.readyState).toBe(WebSocket.OPEN)
})

test('a plain reader that does not read holds up no publisher of bus.v1', async () => {
  const hub = await startHub({
    highWaterMarkBytes: 10_000,
    slowReaderMs: 60_000,
    heartbeatMs: 60_000,
  })
  await joinFrozen(hub)
  const healthy = await join(hub)
  const publisher = await greet(hub)
  const size = 10_000
  const count = 2_000
  for (let from = 1; from <= count; from += 100) {
    publisher.say(
      ...pubs(from, from + 99).map((line) =>
        line.replace(/"payload":\d+/, `"payload":"${'x'.repeat(size)}"`),
      ),
    )
    await publisher.line(`ok ${from + 99}`)
  }
  await until(
    () => healthy.frames.length + hub.stats().skipped >= count,
    'the healthy one has them',
  )
  const { skipped, slowReaders } = hub.stats()
  expect(skipped).toBeGreaterThan(0)
  expect(slowReaders).toBe(0)
})

test('plain: false answers the handshake of a plain client with 400, and takes others', async () => {
  const hub = await startHub({ plain: false })
  const plain = new WebSocket(hub.url)
  const [, response] = (await once(plain, 'unexpected-response')) as [
    unknown,
    NodeJS.ReadableStream & { statusCode: number },
  ]
  expect(response.statusCode).toBe(400)
  let body = ''
  for await (const chunk of response) body += String(chunk)
  expect(body).toContain('bus.v1')
  plain.on('error', () => {})
  plain.terminate()
  const bus = createBus({ transport: webSocketTransport({ url: hub.url }) })
  onTestFinished(() => bus.close())
  await expect(bus.publish('a', 1)).resolves.toMatchObject({ status: 'confirmed' })
  const publisher = await greet(hub)
  publisher.say(pub(1, 1, 'a'))
  await publisher.line('ok 1')
})
