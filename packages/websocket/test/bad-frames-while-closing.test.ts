import { once } from 'node:events'
import { expect, test } from 'vitest'
import { serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { rawPeer } from './raw-peer.ts'

/** Frames that ws refuses with an error, which nobody may be left without a listener for. */
const BAD: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['a close frame with half a code', Buffer.from([0x88, 1, 3])],
  ['a close frame with a code that must not be sent', Buffer.from([0x88, 2, 3, 237])],
  ['a close reason that is not UTF-8', Buffer.from([0x88, 4, 3, 232, 0xc3, 0x28])],
  ['an unknown opcode', Buffer.from([0x83, 0])],
  ['text that is not UTF-8', Buffer.from([0x81, 2, 0xc3, 0x28])],
]

/** The same frame as a client sends it, with a mask of zeros. */
const masked = (bytes: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([bytes[0] ?? 0, 0x80 | (bytes[1] ?? 0)]),
    Buffer.alloc(4),
    bytes.subarray(2),
  ])

test.each(BAD)(
  'a server that answers close() with %s hurts nobody: the transport ends [F62]',
  async (_what, bytes) => {
    const server = await serve()
    const transport = transportTo(server, { timeouts: { closeMs: 200 } })
    await transport.connect()
    // It does not read, so it does not answer by itself.
    server.faults.stall()
    const closed = transport.close()
    server.faults.sendRaw(bytes)
    server.faults.sendRaw(bytes)
    await closed
    expect(transport.status.state).toBe('closed')
  },
)

test.each(BAD)(
  'a client that answers the close of the hub with %s hurts nobody: the hub ends [F62]',
  async (_what, bytes) => {
    const hub = await startHub()
    const peer = await rawPeer(hub.port)
    await until(() => hub.stats().connections === 1, 'the peer is there')
    const heard = once(peer.socket, 'data')
    const closed = hub.close()
    await heard
    expect(peer.closeCode).toBe(1001)
    peer.write(masked(bytes))
    peer.write(masked(bytes))
    await closed
    expect(hub.stats()).toMatchObject({ connections: 0, badFrames: 1 })
  },
)
