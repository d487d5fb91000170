import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startLinkCutter, type LinkCutter } from '../src/link-cutter.ts'

/** A server that answers with what it gets, a relay before it, and a client. All end with the test. */
async function setUp(): Promise<{ cutter: LinkCutter; client: Socket; serverSide: Socket }> {
  const server = createServer((socket) => {
    // The relay ends with a reset.
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cutter = await startLinkCutter((server.address() as AddressInfo).port)
  const accepted = once(server, 'connection')
  const client = connect(cutter.port, '127.0.0.1')
  const [serverSide] = (await accepted) as [Socket]
  onTestFinished(async () => {
    client.destroy()
    await cutter.close()
    server.close()
  })
  return { cutter, client, serverSide }
}

test('passes bytes on, both ways', async () => {
  const { client } = await setUp()
  client.write('hello')
  expect(String((await once(client, 'data'))[0])).toBe('hello')
})

test('passes a clean end on', async () => {
  const { client } = await setUp()
  client.end('bye')
  const received: string[] = []
  client.on('data', (data) => received.push(String(data)))
  await once(client, 'end')
  expect(received.join('')).toBe('bye')
})

test('a cut resets both ends', async () => {
  const { cutter, client, serverSide } = await setUp()
  const ends = Promise.all([once(client, 'error'), once(serverSide, 'error')])
  expect(cutter.cut()).toBe(1)
  expect(await ends).toMatchObject([[{ code: 'ECONNRESET' }], [{ code: 'ECONNRESET' }]])
  expect(cutter.cut()).toBe(0)
})

test('a server that goes away resets the client', async () => {
  const { client, serverSide } = await setUp()
  const reset = once(client, 'error')
  serverSide.resetAndDestroy()
  expect(await reset).toMatchObject([{ code: 'ECONNRESET' }])
})

test('closes although a server ended in good order and then refused what was still coming', async () => {
  const { cutter, client, serverSide } = await setUp()
  client.on('error', () => {})
  const ended = new Promise((resolve) => client.once('end', resolve))
  const closed = new Promise((resolve) => client.once('close', resolve))
  // More than the sockets on the way hold, so that the relay has to stop reading.
  client.resume().write(Buffer.alloc(64 * 1024 * 1024))
  serverSide.unpipe().pause().end()
  await ended
  serverSide.resetAndDestroy()
  await closed
  await expect(cutter.close()).resolves.toBeUndefined()
})
