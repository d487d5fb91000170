import { createDeflateRaw } from 'node:zlib'
import { expect, test } from 'vitest'
import { collect, frameOf, serve, transportTo, until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { rawSocket, requestUpgrade, rawFrame } from './raw-peer.ts'

const MIB = 1_048_576

/** So many MiB of zeros as a compressed message, made without ever holding them. */
async function bomb(mib: number): Promise<Buffer> {
  const deflate = createDeflateRaw()
  const parts: Buffer[] = []
  deflate.on('data', (part: Buffer) => parts.push(part))
  const zeros = Buffer.alloc(MIB)
  for (let i = 0; i < mib; i++) deflate.write(zeros)
  await new Promise<void>((resolve) => deflate.end(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  return Buffer.concat(parts)
}

/** A server's frame of compressed text. */
function compressedFrame(payload: Buffer): Buffer {
  const header = Buffer.alloc(10)
  header.set([0xc1, 127])
  header.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([header, payload])
}

test('200 MiB in a small compressed message cost a client that has configured compression its link, and no memory [F64]', async () => {
  const server = await serve({ perMessageDeflate: true })
  const transport = transportTo(server, { compression: true })
  const all = await collect(transport)
  const frame = compressedFrame(await bomb(200))
  expect(frame.length).toBeLessThan(MIB)
  const before = process.memoryUsage().rss
  server.faults.sendRaw(frame)
  await server.waitForConnection({ index: 1 })
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB)
  expect(await server.connections[0]?.waitForClose()).toMatchObject({ code: 1009 })
  await until(() => transport.status.state === 'ready', 'ready again')
  server.inject(frameOf('a', 'x'.repeat(2_000)))
  await until(() => all.events.length === 1, 'the next arrives')
})

test('compressed messages that were not negotiated end the link, on either side [F64]', async () => {
  const server = await serve({ perMessageDeflate: true })
  const transport = transportTo(server)
  await transport.connect()
  server.faults.sendRaw(compressedFrame(Buffer.alloc(10)))
  expect(await server.connections[0]?.waitForClose()).toMatchObject({ code: 1002 })

  const hub = await startHub()
  const peer = await rawSocket(hub.port)
  requestUpgrade(peer, '/', [
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
  ])
  await until(() => peer.received.includes('\r\n\r\n'), 'the answer')
  expect(peer.received.toString()).toMatch(/^HTTP\/1\.1 101 /)
  expect(peer.received.toString()).not.toMatch(/extensions/i)
  peer.write(rawFrame({ opcode: 1, rsv: 4, payload: await bomb(1) }))
  await peer.ended
  expect(peer.closeCode).toBe(1002)
  await join(hub)
})
