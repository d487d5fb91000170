import { once } from 'node:events'
import { expect, test } from 'vitest'
import { until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { rawFrame, rawPeer, rawSocket, requestUpgrade, type RawFrame } from './raw-peer.ts'

const TEXT = 1
const BINARY = 2

test.each<[what: string, code: number, frames: readonly RawFrame[]]>([
  ['an unknown opcode', 1002, [{ opcode: 3, payload: 'x' }]],
  ['an unknown control opcode', 1002, [{ opcode: 11 }]],
  ['a reserved bit', 1002, [{ opcode: TEXT, payload: 'x', rsv: 4 }]],
  ['a frame without a mask', 1002, [{ opcode: TEXT, payload: 'x', masked: false }]],
  ['a continuation of nothing', 1002, [{ opcode: 0, payload: 'x' }]],
  [
    'a new message within another',
    1002,
    [
      { opcode: TEXT, payload: 'x', fin: false },
      { opcode: TEXT, payload: 'y' },
    ],
  ],
  ['a ping in fragments', 1002, [{ opcode: 9, fin: false }]],
  ['a ping above 125 bytes', 1002, [{ opcode: 9, payload: 'x'.repeat(126) }]],
  ['a close code that must not be sent', 1002, [{ opcode: 8, payload: Buffer.from([3, 237]) }]],
  ['half a close code', 1002, [{ opcode: 8, payload: Buffer.from([3]) }]],
  ['text that is not UTF-8', 1007, [{ opcode: TEXT, payload: Buffer.from([0xc3, 0x28]) }]],
  [
    'a close reason that is not UTF-8',
    1007,
    [{ opcode: 8, payload: Buffer.from([3, 232, 0xc3, 0x28]) }],
  ],
  ['a length above the limit', 1009, [{ opcode: BINARY, length: 2_000_000 }]],
  [
    'fragments that add up to more than the limit',
    1009,
    Array.from({ length: 3 }, (_, i) => ({
      opcode: i === 0 ? BINARY : 0,
      payload: Buffer.alloc(500_000),
      fin: false,
    })),
  ],
  [
    'fragments without end',
    1008,
    Array.from({ length: 1_100 }, (_, i) => ({
      opcode: i === 0 ? TEXT : 0,
      payload: 'x',
      fin: false,
    })),
  ],
])(
  'answers %s with %i, and only that connection ends [F61, F65, F67]',
  async (_what, code, frames) => {
    const hub = await startHub()
    const [a, b] = await Promise.all([join(hub), join(hub)])
    const bad = await rawPeer(hub.port)
    await until(() => hub.stats().connections === 3, 'the bad peer is there')
    for (const frame of frames) bad.send(frame)
    await bad.ended
    expect(bad.closeCode).toBe(code)
    bad.socket.destroy()
    await until(() => hub.stats().connections === 2, 'the bad peer is gone')
    expect(hub.stats().badFrames).toBe(1)
    a.send('still here')
    await until(() => b.frames.length === 1, 'the others go on')
    expect(b.frames).toEqual(['still here'])
  },
)

test('takes a message that comes one byte at a time [F66]', async () => {
  const hub = await startHub()
  const reader = await join(hub)
  const slicer = await rawPeer(hub.port)
  for (const byte of rawFrame({ opcode: TEXT, payload: 'x'.repeat(4_000) })) {
    slicer.write(Buffer.of(byte))
    // One round of the event loop for each, or the system would put them together again.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => reader.frames.length === 1, 'it arrives')
  expect(reader.frames).toEqual(['x'.repeat(4_000)])
})

test('never compresses, whatever a client offers [F64]', async () => {
  const hub = await startHub()
  const client = await join(hub, { perMessageDeflate: true })
  expect(client.ws.extensions).toBe('')
})

test('agrees on no subprotocol, because it speaks none', async () => {
  const hub = await startHub()
  const peer = await rawSocket(hub.port)
  requestUpgrade(peer, '/', ['Sec-WebSocket-Protocol: chat, admin'])
  await once(peer.socket, 'data')
  expect(peer.received.toString()).toMatch(/^HTTP\/1\.1 101 /)
  expect(peer.received.toString()).not.toMatch(/Sec-WebSocket-Protocol/i)
})

test.each(['//', '//[', 'http://[', '/events/../x', '*', '/events%00'])(
  'answers 404 to the request target %s and lives on',
  async (target) => {
    const hub = await startHub({ path: '/events' })
    const stranger = await rawSocket(hub.port)
    requestUpgrade(stranger, target)
    await stranger.ended
    expect(stranger.received.toString()).toMatch(/^HTTP\/1\.1 40[04] /)
    await join(hub)
  },
)

test('answers a request that asks for no upgrade with 426', async () => {
  const hub = await startHub()
  const answer = await fetch(hub.url.replace('ws:', 'http:'))
  expect(answer.status).toBe(426)
})

test('is not kept from closing by connections that never finished their handshake, or never leave after a refusal', async () => {
  const hub = await startHub({ path: '/events' })
  const silent = await rawSocket(hub.port)
  const half = await rawSocket(hub.port)
  half.write('GET /events HTTP/1.1\r\nHost: hub\r\n')
  const refused = await rawSocket(hub.port)
  requestUpgrade(refused, '/elsewhere')
  await refused.ended
  // Its own half stays open.
  expect(refused.socket.writable).toBe(true)
  await hub.close()
  await Promise.all([silent.ended, half.ended])
})

test('survives a peer that resets its connection in the middle of a frame', async () => {
  const hub = await startHub()
  const [a, b] = await Promise.all([join(hub), join(hub)])
  const peer = await rawPeer(hub.port)
  peer.write(rawFrame({ opcode: BINARY, length: 100_000, payload: Buffer.alloc(1_000) }))
  peer.socket.resetAndDestroy()
  await until(() => hub.stats().connections === 2, 'its end is seen')
  a.send('on')
  await until(() => b.frames.length === 1, 'the others go on')
  expect(hub.stats().received).toBe(1)
})
