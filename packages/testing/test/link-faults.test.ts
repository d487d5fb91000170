/** Each fault of a live connection, seen by a plain client. */
import { describe, expect, test } from 'vitest'
import { startMockServer } from '../src/mock-server/index.ts'
import { FakeClock } from '../src/fake-clock.ts'
import { PlainClient } from './plain-client.ts'

describe('withholdPongs', () => {
  test('stays silent on the pings of live and of new connections, until it is cleared', async () => {
    await using server = await startMockServer()
    using live = await PlainClient.open(server.url)
    server.faults.withholdPongs()
    using later = await PlainClient.open(server.url)
    for (const client of [live, later]) client.socket.ping()
    await server.waitUntil(() => server.connections.every((c) => c.pings === 1))
    server.inject('no pong came before this')
    for (const client of [live, later]) {
      await client.untilMessages(1)
      expect(client.pongs).toBe(0)
    }
    server.faults.clear()
    live.socket.ping()
    await live.until('a pong', () => live.pongs === 1)
    expect(live.closed).toBeUndefined()
  })
})

describe('stall', () => {
  const MIB = 2 ** 20

  test('reads nothing more, so that what a client sends backs up until it is cleared', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    server.faults.stall()
    const block = Buffer.alloc(MIB)
    for (let i = 0; i < 32; i++) client.socket.send(block)
    // Two whole handshakes: time enough to read, if anybody did.
    using second = await PlainClient.open(server.url)
    second.socket.send('a new connection is not read either')
    using third = await PlainClient.open(server.url)
    expect(third.closed).toBeUndefined()
    expect(client.socket.bufferedAmount).toBeGreaterThan(0)
    expect(server.received).toHaveLength(0)
    server.faults.clear()
    await server.waitUntil(() => server.received.length === 33, { timeoutMs: 60_000 })
    expect(server.connections[0]?.received).toHaveLength(32)
  })

  test('still sends', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    server.faults.stall()
    server.inject('x')
    expect(await client.untilMessages(1)).toEqual(['x'])
  })

  test('does not keep the server from closing', async () => {
    const server = await startMockServer()
    using client = await PlainClient.open(server.url)
    server.faults.stall()
    for (let i = 0; i < 16; i++) client.socket.send(Buffer.alloc(MIB))
    await server.close()
    expect((await client.untilClosed()).code).toBe(1006)
    expect(server.connections[0]?.closed?.code).toBe(1006)
  })
})

describe('delay', () => {
  test('holds back all that is sent, and keeps its order', async () => {
    const clock = new FakeClock()
    await using server = await startMockServer({ clock, handler: 'echo' })
    using client = await PlainClient.open(server.url)
    server.faults.delay(50)
    client.socket.send('echo')
    client.socket.ping()
    await server.waitUntil(() => server.connections[0]?.pings === 1)
    clock.advance(49)
    server.faults.delay(0)
    server.inject('waits for its turn')
    server.disconnect(4002)
    client.socket.send('a round trip during which nothing comes')
    await server.waitForMessage(/round trip/)
    expect(client.messages).toEqual([])
    expect(client.pongs).toBe(0)
    clock.advance(1)
    expect(await client.untilClosed()).toMatchObject({ code: 4002 })
    expect(client.messages).toEqual(['echo', 'waits for its turn'])
    expect(client.pongs).toBe(1)
  })

  test('holds back the answer to a handshake', async () => {
    const clock = new FakeClock()
    await using server = await startMockServer({ clock })
    server.faults.delay(1_000)
    using client = new PlainClient(server.url)
    await server.waitUntil(() => server.upgradeAttempts === 1)
    clock.advance(999)
    expect(server.connections).toHaveLength(0)
    clock.advance(1)
    await client.until('to open', () => client.socket.readyState === client.socket.OPEN)
    expect(server.connections).toHaveLength(1)
  })

  test('is over when it is cleared', async () => {
    const clock = new FakeClock()
    await using server = await startMockServer({ clock, handler: 'echo' })
    server.faults.delay(1_000)
    server.faults.clear()
    using client = await PlainClient.open(server.url)
    client.socket.send('at once')
    expect(await client.untilMessages(1)).toEqual(['at once'])
  })

  test('gives up what it holds back when the server closes', async () => {
    const clock = new FakeClock()
    const server = await startMockServer({ clock })
    using client = await PlainClient.open(server.url)
    server.faults.delay(1_000)
    server.inject('never')
    using waiting = new PlainClient(server.url)
    await server.waitUntil(() => server.upgradeAttempts === 2)
    expect(clock.pending).toBe(2)
    await server.close()
    await waiting.untilClosed()
    expect(clock.pending).toBe(0)
    await client.untilClosed()
    expect(client.messages).toEqual([])
  })

  test.each([-1, 0.5, Number.NaN])('does not take %d milliseconds', async (ms) => {
    await using server = await startMockServer()
    expect(() => server.faults.delay(ms)).toThrow(/Expected `ms` to be an integer ≥ 0/)
  })
})

describe('reset', () => {
  test('breaks every live connection with a TCP reset', async () => {
    await using server = await startMockServer()
    const causes: unknown[] = []
    const clients = [new PlainClient(server.url), new PlainClient(server.url)]
    for (const client of clients) {
      client.socket.on('upgrade', (response) => {
        response.socket.on('error', (error) => causes.push(error))
      })
      await client.until('to open', () => client.socket.readyState === client.socket.OPEN)
    }
    expect(server.faults.reset()).toBe(2)
    for (const client of clients) expect((await client.untilClosed()).code).toBe(1006)
    expect(causes).toMatchObject([{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }])
    await server.waitUntil(() => server.live.length === 0)
    using next = await PlainClient.open(server.url)
    expect(next.error).toBeUndefined()
  })

  test('can break one connection alone', async () => {
    await using server = await startMockServer()
    using one = await PlainClient.open(server.url)
    using two = await PlainClient.open(server.url)
    server.connections[0]?.reset()
    expect((await one.untilClosed()).code).toBe(1006)
    server.inject('x')
    expect(await two.untilMessages(1)).toEqual(['x'])
  })

  test('a reset by the client is kept as what broke the connection', async () => {
    await using server = await startMockServer()
    using client = new PlainClient(server.url)
    client.socket.on('upgrade', (response) => response.socket.resetAndDestroy())
    const connection = await server.waitForConnection()
    expect(await connection.waitForClose()).toMatchObject({ code: 1006, wasClean: false })
    expect(connection.error).toMatchObject({ code: 'ECONNRESET' })
  })
})

describe('sendRaw', () => {
  test('writes bytes past the framing', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    expect(server.faults.sendRaw(new Uint8Array([0x81, 2, 0x68, 0x69]))).toBe(1)
    expect(await client.untilMessages(1)).toEqual(['hi'])
    server.faults.sendRaw(new Uint8Array([0x83, 0]))
    await client.untilClosed()
    expect(client.error?.message).toMatch(/invalid opcode 3/)
  })

  test('can write to one connection alone', async () => {
    await using server = await startMockServer()
    using one = await PlainClient.open(server.url)
    using two = await PlainClient.open(server.url)
    server.connections[1]?.sendRaw(new Uint8Array([0x81, 1, 0x61]))
    expect(await two.untilMessages(1)).toEqual(['a'])
    expect(one.messages).toEqual([])
  })

  test('a frame of the client against the protocol is kept as what broke the connection', async () => {
    await using server = await startMockServer()
    using client = new PlainClient(server.url)
    client.socket.on('upgrade', (response) => response.socket.write(new Uint8Array([0x83, 0x80])))
    const connection = await server.waitForConnection()
    await connection.waitForClose()
    expect(connection.error?.message).toMatch(/invalid opcode 3/)
  })
})
