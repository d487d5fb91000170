/** Dials that nobody answers at all: not even TCP does. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { leavesNothing, resources, transportTo, until } from './harness.ts'
import { Kid } from './kid.ts'

/** Connects, and tells whether that took less than half a second. */
async function connects(port: number): Promise<boolean> {
  const socket: Socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  return await Promise.race([
    once(socket, 'connect').then(() => true),
    sleep(500, false, { ref: false }),
  ])
}

// What a full line of a listener does to those that come is different elsewhere.
test.runIf(process.platform === 'linux')(
  'a dial whose packets are dropped is given up at its own deadline, and again on the next attempt [F16]',
  async () => {
    // A process that stands accepts nothing. Once its line of two is full, the kernel drops every packet that asks to connect.
    const kid = new Kid(`
    import { createServer } from 'node:net'
    const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 })
    server.on('listening', () => say('port', server.address().port))
  `)
    const port = JSON.parse(await kid.says('port')) as number
    await kid.freeze()
    let taken = 0
    while (await connects(port)) taken++
    expect(taken).toBeLessThan(10)
    const before = resources()
    const transport = transportTo(
      { url: `ws://127.0.0.1:${port}/` },
      { protocol: busV1(), timeouts: { connectMs: 100 }, reconnect: { maxAttempts: 2 } },
    )
    await expect(transport.connect()).rejects.toMatchObject({ code: 'timeout', retryable: true })
    await until(() => transport.status.state === 'closed', 'it gives up')
    expect(transport.status).toMatchObject({
      cause: { code: 'attempts-exhausted', cause: { code: 'timeout' } },
    })
    await expect(leavesNothing(before)).resolves.toBeUndefined()
  },
)
