/** The mock server without faults, seen by a plain client. */
import { connect } from 'node:net'
import { ClosedError, ConnectionError, type Clock } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { describe, expect, test } from 'vitest'
import { startMockServer } from '../src/mock-server/index.ts'
import { PlainClient } from './plain-client.ts'

describe('starting and stopping', () => {
  test('starts on a free port and says where', async () => {
    await using one = await startMockServer()
    await using two = await startMockServer()
    expect(one.port).toBeGreaterThan(0)
    expect(two.port).not.toBe(one.port)
    expect(one.url).toBe(`ws://127.0.0.1:${one.port}/`)
    using client = await PlainClient.open(one.url)
    expect(client.socket.readyState).toBe(client.socket.OPEN)
    expect(one.live).toHaveLength(1)
    expect(two.connections).toHaveLength(0)
  })

  test('listens on the port that is asked for, and fails with the cause when it is taken', async () => {
    await using first = await startMockServer()
    const failure = startMockServer({ port: first.port })
    await expect(failure).rejects.toThrow(ConnectionError)
    await expect(failure).rejects.toMatchObject({ cause: { code: 'EADDRINUSE' } })
    const { port } = first
    await first.close()
    await using second = await startMockServer({ port })
    expect(second.port).toBe(port)
  })

  test('listens on the host that is asked for', async () => {
    await using server = await startMockServer({ host: 'localhost' })
    expect(server.url).toBe(`ws://localhost:${server.port}/`)
    using client = await PlainClient.open(server.url)
    expect(client.socket.readyState).toBe(client.socket.OPEN)
  })

  test('stopping twice is harmless, and ends every socket', async () => {
    const server = await startMockServer()
    using client = await PlainClient.open(server.url)
    await Promise.all([server.close(), server.close()])
    await server.close()
    expect((await client.untilClosed()).code).toBe(1006)
    expect(server.live).toHaveLength(0)
    expect(server.connections[0]?.closed).toEqual({ code: 1006, reason: '', wasClean: false })
    using late = new PlainClient(server.url)
    await late.untilClosed()
    expect(late.error).toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('stopping also ends connections that never sent a handshake', async () => {
    const server = await startMockServer()
    const socket = connect(server.port, '127.0.0.1')
    const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.on('error', () => {})
    await new Promise<void>((resolve) => socket.on('connect', () => resolve()))
    await server.close()
    await ended
    expect(socket.destroyed).toBe(true)
  })

  test('stopping ends the waits', async () => {
    const server = await startMockServer()
    const waits = [server.waitForMessage('x'), server.waitForConnection()]
    await server.close()
    for (const wait of waits) await expect(wait).rejects.toThrow(ClosedError)
  })
})

describe('handshakes', () => {
  test('keeps what each client asked for', async () => {
    await using server = await startMockServer()
    const options = { headers: { Authorization: 'Bearer 1' }, protocols: ['a', 'b'] }
    using client = await PlainClient.open(`${server.url}feed?since=7`, options)
    const { request, index } = await server.waitForConnection()
    expect(index).toBe(0)
    expect(request).toMatchObject({ method: 'GET', url: '/feed?since=7', path: '/feed' })
    expect(request.headers['authorization']).toBe('Bearer 1')
    expect(request.subprotocols).toEqual(['a', 'b'])
    expect(server.upgrades).toEqual([request])
    expect(client.socket.protocol).toBe('a')
  })

  test('serves only its path, if it has one', async () => {
    await using server = await startMockServer({ path: '/events' })
    expect(server.url).toBe(`ws://127.0.0.1:${server.port}/events`)
    using good = await PlainClient.open(`${server.url}?x=1`)
    using bad = new PlainClient(server.url.replace('/events', '/other'))
    await bad.untilClosed()
    expect(good.socket.readyState).toBe(good.socket.OPEN)
    expect(bad.refusal?.status).toBe(404)
    expect(server.upgradeAttempts).toBe(2)
    expect(server.connections).toHaveLength(1)
  })

  test('answers plain HTTP with 426', async () => {
    await using server = await startMockServer()
    const response = await fetch(server.url.replace('ws:', 'http:'))
    expect(response.status).toBe(426)
    expect(server.upgradeAttempts).toBe(0)
  })

  test('agrees on the first subprotocol of its list that was offered', async () => {
    await using server = await startMockServer({ subprotocols: ['v2', 'v1'] })
    using client = await PlainClient.open(server.url, { protocols: ['v1', 'v2'] })
    expect(client.socket.protocol).toBe('v2')
    expect(server.connections[0]?.subprotocol).toBe('v2')
  })

  test('agrees on the first offered subprotocol when it has no list', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url, { protocols: ['v1', 'v2'] })
    expect(client.socket.protocol).toBe('v1')
  })

  test.each([
    ['none', (): false => false, 'Server sent no subprotocol'],
    ['one that was not offered', (): string => 'other', 'Server sent an invalid subprotocol'],
  ])('can answer with %s', async (_name, subprotocols, message) => {
    await using server = await startMockServer({ subprotocols })
    using client = new PlainClient(server.url, { protocols: ['v1'] })
    await client.untilClosed()
    expect(client.error?.message).toBe(message)
  })

  test('compresses only when told to', async () => {
    await using plain = await startMockServer()
    await using packed = await startMockServer({ perMessageDeflate: true })
    using one = await PlainClient.open(plain.url, { perMessageDeflate: true })
    using two = await PlainClient.open(packed.url, { perMessageDeflate: true })
    expect(one.socket.extensions).toBe('')
    expect(two.socket.extensions).toBe('permessage-deflate')
  })

  test('adds its headers to the answer', async () => {
    await using server = await startMockServer({ headers: { 'X-Node': 'seven' } })
    using client = new PlainClient(server.url)
    const headers = await new Promise<Record<string, unknown>>((resolve) =>
      client.socket.on('upgrade', (response) => resolve(response.headers)),
    )
    expect(headers['x-node']).toBe('seven')
  })
})

describe('messages', () => {
  test('captures text and binary, in the order of arrival over all connections', async () => {
    await using server = await startMockServer()
    using one = await PlainClient.open(server.url)
    using two = await PlainClient.open(server.url)
    one.socket.send('{"n":1}')
    await server.waitForMessage({ n: 1 })
    two.socket.send(Buffer.from([1, 2]))
    await server.waitForMessage(new Uint8Array([1, 2]))
    one.socket.send('three')
    await server.waitForMessage('three')
    expect(server.received.map((m) => [m.kind, m.data, m.json, m.connection])).toEqual([
      ['text', '{"n":1}', { n: 1 }, 0],
      ['binary', new Uint8Array([1, 2]), undefined, 1],
      ['text', 'three', undefined, 0],
    ])
    expect(server.connections[1]?.received).toEqual([server.received[1]])
  })

  test('sends nothing back without a handler', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    client.socket.send('x')
    await server.waitForMessage('x')
    server.inject('the only one')
    expect(await client.untilMessages(1)).toEqual(['the only one'])
  })

  test('echo keeps text as text and binary as binary', async () => {
    await using server = await startMockServer({ handler: 'echo' })
    using client = await PlainClient.open(server.url)
    client.socket.send('hello')
    client.socket.send(Buffer.from([0, 255]))
    expect(await client.untilMessages(2)).toEqual(['hello', new Uint8Array([0, 255])])
  })

  test('a handler answers each message over its connection', async () => {
    await using server = await startMockServer({
      handler: (message, connection) => {
        connection.send({ re: message.json, on: connection.index })
      },
    })
    using other = await PlainClient.open(server.url)
    using client = await PlainClient.open(server.url)
    client.socket.send('[1]')
    expect(await client.untilMessages(1)).toEqual(['{"re":[1],"on":1}'])
    expect(other.messages).toEqual([])
  })

  test('keeps what a handler throws or rejects with, and the connection lives on', async () => {
    await using server = await startMockServer({
      handler: (message) => {
        if (message.text === 'throw') throw new Error('thrown')
        return Promise.reject(new Error('rejected'))
      },
    })
    using client = await PlainClient.open(server.url)
    client.socket.send('throw')
    client.socket.send('reject')
    await server.waitUntil(() => server.errors.length === 2)
    expect(server.errors).toEqual([new Error('thrown'), new Error('rejected')])
    expect(server.live).toHaveLength(1)
  })

  test('calls onConnection before the first message, and keeps what it throws', async () => {
    const seen: number[] = []
    await using server = await startMockServer({
      onConnection: (connection) => {
        seen.push(connection.received.length)
        connection.send('welcome')
        throw new Error('late')
      },
    })
    using client = await PlainClient.open(server.url)
    expect(await client.untilMessages(1)).toEqual(['welcome'])
    expect(seen).toEqual([0])
    expect(server.errors).toEqual([new Error('late')])
  })

  test('counts pings and pongs, and answers pings with their data', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    const data = new Promise<string>((resolve) =>
      client.socket.on('pong', (bytes) => resolve(bytes.toString())),
    )
    client.socket.ping('are you there')
    expect(await data).toBe('are you there')
    const connection = await server.waitForConnection()
    expect(connection.pings).toBe(1)
    expect(connection.ping('x')).toBe(true)
    await server.waitUntil(() => connection.pongs === 1)
    expect(client.pings).toBe(1)
  })
})

describe('inject', () => {
  test('reaches every live client', async () => {
    await using server = await startMockServer()
    using one = await PlainClient.open(server.url)
    using two = await PlainClient.open(server.url)
    expect(server.inject({ type: 'a' })).toBe(2)
    expect(server.inject(new Uint8Array([7]))).toBe(2)
    for (const client of [one, two]) {
      expect(await client.untilMessages(2)).toEqual(['{"type":"a"}', new Uint8Array([7])])
    }
  })

  test('without a client is harmless', async () => {
    await using server = await startMockServer()
    expect(server.inject('x')).toBe(0)
    using client = await PlainClient.open(server.url)
    server.disconnect()
    await client.untilClosed()
    await server.connections[0]?.waitForClose()
    expect(server.inject('x')).toBe(0)
    expect(server.connections[0]?.send('x')).toBe(false)
  })
})

describe('disconnect', () => {
  test.each([
    ['a normal close', 1000, 'done'],
    ['going away', 1001, ''],
    ['a code of the application', 4321, 'because'],
  ])('with %s: the client sees that code', async (_name, code, reason) => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    expect(server.disconnect(code, reason)).toBe(1)
    expect(await client.untilClosed()).toEqual({ code, reason })
    const closed = await server.connections[0]?.waitForClose()
    expect(closed).toEqual({ code, reason, wasClean: true })
  })

  test('says 1000 when no code is given', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    server.disconnect()
    expect((await client.untilClosed()).code).toBe(1000)
  })

  test.each([999, 1005, 1006, 1015, 2999, 5000, 1000.5])('refuses code %d', async (code) => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    expect(() => server.disconnect(code)).toThrow(/Expected `code`/)
    expect(client.closed).toBeUndefined()
  })

  test('refuses a reason that does not fit into a close frame', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    expect(() => server.disconnect(1000, 'é'.repeat(62))).toThrow(/Expected `reason`/)
    expect(server.disconnect(1000, 'é'.repeat(61))).toBe(1)
    expect((await client.untilClosed()).reason).toHaveLength(61)
  })

  test('remembers the code with which a client left', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    const wait = server.connections[0]?.waitForClose()
    client.socket.close(4001, 'bye')
    expect(await wait).toEqual({ code: 4001, reason: 'bye', wasClean: true })
    expect(server.live).toHaveLength(0)
  })

  test('a client that reconnects after a disconnect is captured and stays connected', async () => {
    await using server = await startMockServer({ handler: 'echo' })
    using before = await PlainClient.open(server.url)
    before.socket.send('first')
    await server.waitForMessage('first')
    server.disconnect(1001)
    await before.untilClosed()
    using after = await PlainClient.open(server.url)
    after.socket.send('second')
    await server.waitForMessage('second', { connection: 1 })
    expect(await after.untilMessages(1)).toEqual(['second'])
    expect(after.closed).toBeUndefined()
    expect(server.received.map((m) => m.text)).toEqual(['first', 'second'])
    expect(server.live.map((c) => c.index)).toEqual([1])
  })
})

describe('restart', () => {
  test('ends every socket, refuses while down, and listens again on the same port', async () => {
    await using server = await startMockServer()
    using before = await PlainClient.open(server.url)
    before.socket.send('before')
    await server.waitForMessage('before')
    const { url } = server
    let refused: unknown
    await server.restart({
      whileDown: async () => {
        expect((await before.untilClosed()).code).toBe(1006)
        using client = new PlainClient(url)
        await client.untilClosed()
        refused = client.error
      },
    })
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
    expect(server.url).toBe(url)
    using after = await PlainClient.open(url)
    after.socket.send('after')
    await server.waitForMessage('after')
    expect(server.received.map((m) => [m.text, m.connection])).toEqual([
      ['before', 0],
      ['after', 1],
    ])
  })

  test('stays down for downMs of its clock', async () => {
    const delays: number[] = []
    const clock: Clock = {
      ...systemClock,
      setTimeout: (run, ms) => {
        delays.push(ms)
        return systemClock.setTimeout(run, 0)
      },
    }
    await using server = await startMockServer({ clock })
    await server.restart({ downMs: 3_600_000 })
    expect(delays).toEqual([3_600_000])
    using client = await PlainClient.open(server.url)
    expect(client.socket.readyState).toBe(client.socket.OPEN)
  })

  test('can be aborted while down', async () => {
    await using server = await startMockServer()
    const abort = new AbortController()
    const restart = server.restart({ downMs: 60_000, signal: abort.signal })
    abort.abort()
    await expect(restart).rejects.toMatchObject({ code: 'aborted' })
  })

  test('gives way to close', async () => {
    const server = await startMockServer()
    const restart = server.restart({ whileDown: () => server.close() })
    await expect(restart).rejects.toThrow(ClosedError)
    using late = new PlainClient(server.url)
    await late.untilClosed()
    expect(late.error).toMatchObject({ code: 'ECONNREFUSED' })
  })
})
