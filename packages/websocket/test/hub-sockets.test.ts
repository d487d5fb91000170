/** More sockets than the process may have, and more at once than it can take up. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { until } from './harness.ts'
import { startHubChild } from './hub-child.ts'
import { greet, pub, sub } from './wire-client.ts'

// Elsewhere nobody says how many files a process may have, or how long a queue of dials is.
const ONLY_LINUX = { skip: process.platform !== 'linux' }

/** Connects so many, without waiting for the answer to any. */
function dials(
  port: number,
  count: number,
): { readonly all: Socket[]; readonly open: Set<Socket> } {
  const open = new Set<Socket>()
  const all = Array.from({ length: count }, () => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('connect', () => open.add(socket))
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    return socket
  })
  onTestFinished(() => all.forEach((socket) => socket.destroy()))
  return { all, open }
}

test(
  'a flood of sockets leaves the hub the files that it needs, and its clients do not notice [F163]',
  ONLY_LINUX,
  async () => {
    const MAX_FILES = 400
    const hub = await startHubChild({ maxFiles: MAX_FILES })
    const [reader, publisher] = [await greet(hub, { subs: [sub(1, '>')] }), await greet(hub)]
    const { all, open } = dials(hub.port, 500)
    await until(() => open.size <= MAX_FILES - 256, 'the rest is closed')
    expect(await hub.ask('file')).toBe(true)
    publisher.say(pub(1, 'still here'))
    await reader.events(1)
    // Two of the connections were there before.
    await until(() => open.size === MAX_FILES - 256 - 2, 'as many as there may be')
    expect((await hub.ask('stats')).dropped).toBe(500 - open.size)
    for (const socket of all) socket.destroy()
    await until(() => open.size === 0, 'the flood is over')
    await greet(hub)
  },
)

test(
  'a thousand dials while the hub stands still are kept waiting by the system, and all served when it goes on [F164]',
  ONLY_LINUX,
  async () => {
    const hub = await startHubChild({ hub: { limits: { connectionsPerIp: 2_000 } } })
    hub.process.kill('SIGSTOP')
    const { all, open } = dials(hub.port, 1_000)
    // Node’s own backlog of 511 would leave half of them to dial again and again.
    await until(() => open.size === 1_000, 'the system has taken all of them')
    for (const socket of all) {
      socket.write(
        [
          'GET / HTTP/1.1',
          'Host: hub',
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          '\r\n',
        ].join('\r\n'),
      )
    }
    const answers = Promise.all(all.map(async (socket) => String((await once(socket, 'data'))[0])))
    hub.process.kill('SIGCONT')
    const statuses = (await answers).map((answer) => answer.split('\r\n', 1)[0])
    expect(new Set(statuses)).toEqual(new Set(['HTTP/1.1 101 Switching Protocols']))
  },
)
