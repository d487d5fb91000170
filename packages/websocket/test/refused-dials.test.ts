/** Refusals by servers that keep the connection open behind them, as HTTP/1.1 lets them. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { FastClock, transportTo, until } from './harness.ts'

interface Refusing {
  readonly url: string
  /** Connections that are open on the side of the server. */
  readonly open: Set<Socket>
  readonly dials: () => number
}

/** Answers each handshake with these bytes, and closes nothing. */
async function refusing(answer: string): Promise<Refusing> {
  const open = new Set<Socket>()
  let dials = 0
  const server = createServer((socket) => {
    dials++
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    socket.once('data', () => socket.write(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `ws://127.0.0.1:${port}/`, open, dials: () => dials }
}

const HEAD = 'HTTP/1.1 503 Service Unavailable\r\nConnection: keep-alive\r\n'

test.each([
  ['and keeps the connection', `${HEAD}Content-Length: 4\r\n\r\nbusy`],
  ['with a body that does not end', `${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n`],
])('a server that refuses %s costs one socket at a time [F23]', async (_how, answer) => {
  const server = await refusing(answer)
  const transport = transportTo(server, {
    breaker: false,
    reconnect: { maxAttempts: 2 },
    // A body is waited for no longer than a second.
    clock: new FastClock(5),
  })
  await expect(transport.connect({ retry: true })).rejects.toMatchObject({
    code: 'attempts-exhausted',
    cause: { code: 'handshake', status: 503, body: 'busy' },
  })
  expect(server.dials()).toBe(3)
  // The transport itself has not been closed.
  await until(() => server.open.size === 0, 'all are let go of')
})
