/** Floods of control frames: they cost an answer each, and no limit on events sees them. */
import { expect, test } from 'vitest'
import { until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { rawFrame, rawPeer, rawSocket, requestUpgrade, type RawPeer } from './raw-peer.ts'
import { greet } from './wire-client.ts'

const PING = 9
const PONG = 10

/** So many frames in one go. */
const flood = (opcode: number, count: number): Buffer =>
  Buffer.concat(Array(count).fill(rawFrame({ opcode, payload: 'flood' })))

const pongsIn = (peer: RawPeer): number =>
  peer.received.toString('latin1').split('flood').length - 1

/** A peer that offers `bus.v1`, or nothing. */
async function peerOn(port: number, isBusV1: boolean): Promise<RawPeer> {
  if (!isBusV1) return await rawPeer(port)
  const peer = await rawSocket(port)
  requestUpgrade(peer, '/', ['Sec-WebSocket-Protocol: bus.v1'])
  await until(() => peer.received.includes('\r\n\r\n'), 'the answer')
  return peer
}

test.each([
  ['on the plain wire', PING, false],
  ['on bus.v1', PING, true],
  ['of pongs that nobody asked for', PONG, false],
])('a flood %s ends its connection, and nobody else notices [F10]', async (_what, opcode, isV1) => {
  const hub = await startHub()
  const [a, b, client] = await Promise.all([join(hub), join(hub), greet(hub)])
  const bad = await peerOn(hub.port, isV1)
  bad.write(flood(opcode, 20_000))
  await bad.ended
  await until(() => hub.stats().connections === 3, 'it is gone')
  expect(hub.stats().floods).toBe(1)
  expect(pongsIn(bad)).toBeLessThanOrEqual(60)
  a.send('on')
  await until(() => b.frames.length === 1, 'the others go on')
  await client.settled()
})

test('pings that come little by little, each answered, end with 4429 when they are too many [F10]', async () => {
  const hub = await startHub()
  const bad = await rawPeer(hub.port)
  for (let n = 20; bad.closeCode === undefined && n <= 5_000; n += 20) {
    bad.write(flood(PING, 20))
    await until(() => bad.closeCode !== undefined || pongsIn(bad) === n, 'the pongs')
  }
  expect(bad.closeCode).toBe(4429)
  // A second's worth at once, and what a busy machine takes longer for.
  expect(pongsIn(bad)).toBeGreaterThanOrEqual(200)
  expect(hub.stats().floods).toBe(1)
})

test('a peer that sends pings and reads no pong fills no memory, and is gone in time [F10]', async () => {
  const hub = await startHub()
  const bad = await rawPeer(hub.port)
  bad.socket.pause()
  const chunk = flood(PING, 10_000)
  const before = process.memoryUsage()
  for (let n = 0; n < 20 && !bad.socket.destroyed; n++) bad.write(chunk)
  await until(() => hub.stats().connections === 0, 'it is cut')
  const { external, arrayBuffers } = process.memoryUsage()
  expect(external + arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(16_000_000)
  expect(hub.stats().floods).toBe(1)
})

test('limits.rate.controlFrames: as many as it says pass, and any number when it says Infinity [F10]', async () => {
  const strict = await startHub({ limits: { rate: { controlFrames: 3 } } })
  const open = await startHub({ limits: { rate: { controlFrames: Infinity } } })
  const [few, many, all] = await Promise.all([
    rawPeer(strict.port),
    rawPeer(strict.port),
    join(open),
  ])
  few.write(flood(PING, 3))
  many.write(flood(PING, 5))
  await until(() => many.closeCode === 4429, 'the end of the one')
  await until(() => pongsIn(few) === 3, 'three pongs')
  expect(strict.stats()).toMatchObject({ floods: 1, connections: 2 })
  let pongs = 0
  all.ws.on('pong', () => pongs++)
  for (let n = 0; n < 40; n++) all.ws.ping('x')
  await until(() => pongs === 40, 'all pongs')
  expect(open.stats()).toMatchObject({ floods: 0, connections: 1 })
})
