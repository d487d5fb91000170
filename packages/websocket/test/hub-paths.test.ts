/** Several hubs, and listeners that are no hub, on one HTTP server. */
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { rawSocket, requestUpgrade } from './raw-peer.ts'

async function listeningServer(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return { server, port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
}

/** The status with which an upgrade of this path is answered. */
async function statusOf(port: number, path: string): Promise<string> {
  const peer = await rawSocket(port)
  requestUpgrade(peer, path)
  await until(() => peer.received.includes('\r\n\r\n'), 'an answer')
  return peer.received.toString('latin1').split(' ')[1] ?? ''
}

test.each([2, 3])('%i hubs on one server answer a path that none serves with 404', async (n) => {
  const { server, port } = await listeningServer()
  const hubs = []
  for (let i = 0; i < n; i++) hubs.push(await startHub({ server, path: `/hub-${i}` }))
  expect(await statusOf(port, '/another')).toBe('404')
  for (const [i, hub] of hubs.entries()) {
    await join({ url: `ws://127.0.0.1:${port}/hub-${i}` })
    expect(hub.stats().connections).toBe(1)
  }
  // The last one may leave first.
  await hubs.pop()?.close()
  expect(await statusOf(port, '/another')).toBe('404')
})

test('a listener that is no hub still gets every path that no hub serves', async () => {
  const { server, port } = await listeningServer()
  await startHub({ server, path: '/one' })
  const paths: (string | undefined)[] = []
  server.on('upgrade', (request, socket) => {
    if (request.url === '/one' || request.url === '/two') return
    paths.push(request.url)
    socket.end('HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n')
  })
  await startHub({ server, path: '/two' })
  expect(await statusOf(port, '/theirs')).toBe('418')
  expect(await statusOf(port, '/two')).toBe('101')
  expect(paths).toEqual(['/theirs'])
})

test('of two hubs with one path the first serves it, and the other one once that drains', async () => {
  const { server, port } = await listeningServer()
  const [first, second] = [await startHub({ server, path: '/hub' }), await startHub({ server })]
  const url = `ws://127.0.0.1:${port}/hub`
  await join({ url })
  expect([first, second].map((hub) => hub.stats().connections)).toEqual([1, 0])
  await first.drain()
  await join({ url })
  expect([first, second].map((hub) => hub.stats().connections)).toEqual([0, 1])
  await second.drain()
  expect(await statusOf(port, '/hub')).toBe('503')
})
