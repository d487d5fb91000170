/** Each fault of the handshake, seen by a plain client. */
import { connect, type Socket } from 'node:net'
import type { Clock } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { describe, expect, test } from 'vitest'
import { startMockServer } from '../src/mock-server/index.ts'
import { FakeClock } from '../src/fake-clock.ts'
import { PlainClient } from './plain-client.ts'

/** A socket that has sent a handshake, and can leave politely before there is an answer. */
function dial(port: number): { socket: Socket; closed: Promise<void> } {
  const socket = connect(port, '127.0.0.1').resume()
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  const lines = [
    'GET / HTTP/1.1',
    'Host: mock',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  return { socket, closed }
}

describe('refuse', () => {
  test('answers with its status, headers and body, as often as it is told', async () => {
    await using server = await startMockServer()
    const headers = { 'X-Reason': 'maintenance' }
    server.faults.refuse(503, { headers, body: 'later', retryAfterSeconds: 7, times: 2 })
    for (const _ of [1, 2]) {
      using client = new PlainClient(server.url)
      await client.untilClosed()
      expect(client.refusal).toMatchObject({
        status: 503,
        headers: { 'x-reason': 'maintenance', 'retry-after': '7' },
        body: 'later',
      })
    }
    using client = await PlainClient.open(server.url)
    expect(client.refusal).toBeUndefined()
    expect(server.upgradeAttempts).toBe(3)
    expect(server.connections).toHaveLength(1)
  })

  test('lasts until it is cleared when no number of times is given', async () => {
    await using server = await startMockServer()
    server.faults.refuse(401)
    for (const _ of [1, 2, 3]) {
      using client = new PlainClient(server.url)
      await client.untilClosed()
      expect(client.refusal).toMatchObject({ status: 401, body: '' })
      expect(client.refusal?.headers).not.toHaveProperty('retry-after')
    }
    server.faults.clear()
    using client = await PlainClient.open(server.url)
    expect(client.error).toBeUndefined()
  })

  test('faults with a number of times follow one another, the one without gives way to the next', async () => {
    await using server = await startMockServer()
    server.faults.refuse(429, { times: 1 })
    server.faults.refuse(500)
    server.faults.refuse(302, { times: 1, headers: { Location: 'ws://127.0.0.1:1/' } })
    server.faults.refuse(403)
    const seen: (number | undefined)[] = []
    for (const _ of [1, 2, 3, 4]) {
      using client = new PlainClient(server.url)
      await client.untilClosed()
      seen.push(client.refusal?.status)
    }
    expect(seen).toEqual([429, 302, 403, 403])
  })

  test.each([
    ['status', { status: 101 }],
    ['status', { status: 600 }],
    ['headers', { status: 503, headers: { 'X-A': 'a\r\nX-B: b' } }],
    ['headers', { status: 503, headers: { 'X A': 'a' } }],
    ['retryAfterSeconds', { status: 503, retryAfterSeconds: -1 }],
    ['times', { status: 503, times: 0 }],
  ])('does not take a wrong %s: %o', async (path, { status, ...options }) => {
    await using server = await startMockServer()
    expect(() => server.faults.refuse(status, options)).toThrow(
      expect.objectContaining({ code: 'config', path }),
    )
    using client = await PlainClient.open(server.url)
    expect(client.refusal).toBeUndefined()
  })
})

describe('hangUpgrade', () => {
  test('never answers, while later handshakes are served', async () => {
    await using server = await startMockServer()
    server.faults.hangUpgrade({ times: 1 })
    using hanging = new PlainClient(server.url)
    await server.waitUntil(() => server.upgradeAttempts === 1)
    using served = await PlainClient.open(server.url)
    expect(served.socket.readyState).toBe(served.socket.OPEN)
    expect(hanging.socket.readyState).toBe(hanging.socket.CONNECTING)
    server.faults.clear()
    await server.close()
    await hanging.untilClosed()
    expect(hanging.error?.message).toBe('socket hang up')
  })

  test('lets a client with a handshake timeout give up', async () => {
    await using server = await startMockServer()
    server.faults.hangUpgrade()
    using client = new PlainClient(server.url, { handshakeTimeout: 20 })
    await client.untilClosed()
    expect(client.error?.message).toBe('Opening handshake has timed out')
  })
})

describe('a client that leaves before there is an answer', () => {
  test('is let go by hangUpgrade', async () => {
    await using server = await startMockServer()
    server.faults.hangUpgrade()
    const { socket, closed } = dial(server.port)
    await server.waitUntil(() => server.upgradeAttempts === 1)
    socket.end()
    await closed
    expect(socket.errored).toBeNull()
  })

  test('is let go by dripUpgrade', async () => {
    const clock = new FakeClock()
    await using server = await startMockServer({ clock })
    server.faults.dripUpgrade()
    const { socket, closed } = dial(server.port)
    const connection = await server.waitForConnection()
    socket.end()
    await closed
    await connection.waitForClose()
    expect(clock.pending).toBe(0)
  })
})

describe('dripUpgrade', () => {
  test('sends one byte of the answer per interval, and then the connection is as good as any', async () => {
    const delays: number[] = []
    const clock: Clock = {
      ...systemClock,
      setTimeout: (run, ms) => {
        if (ms !== 321) return systemClock.setTimeout(run, ms)
        delays.push(ms)
        return systemClock.setTimeout(run, 0)
      },
    }
    await using server = await startMockServer({ clock, handler: 'echo' })
    server.faults.dripUpgrade({ intervalMs: 321, times: 1 })
    using client = await PlainClient.open(server.url)
    expect(delays.length).toBeGreaterThan('HTTP/1.1 101 Switching Protocols\r\n'.length)
    client.socket.send('through')
    expect(await client.untilMessages(1)).toEqual(['through'])
    client.socket.close(4000)
    expect(await server.connections[0]?.waitForClose()).toMatchObject({ code: 4000 })
    expect(await client.untilClosed()).toMatchObject({ code: 4000 })
    const before = delays.length
    using next = await PlainClient.open(server.url)
    expect(next.error).toBeUndefined()
    expect(delays).toHaveLength(before)
  })

  test('leaves no timer when the client gives up', async () => {
    const clock = new FakeClock()
    await using server = await startMockServer({ clock })
    server.faults.dripUpgrade()
    using client = new PlainClient(server.url)
    const connection = await server.waitForConnection()
    expect(clock.nextIn).toBe(100)
    expect(client.socket.readyState).toBe(client.socket.CONNECTING)
    client.socket.terminate()
    const closed = connection.waitForClose()
    expect(await closed).toMatchObject({ code: 1006 })
    expect(clock.pending).toBe(0)
  })
})

describe('resetUpgrade', () => {
  test('breaks the connection instead of answering', async () => {
    await using server = await startMockServer()
    server.faults.resetUpgrade({ times: 1 })
    using client = new PlainClient(server.url)
    await client.untilClosed()
    expect(client.error).toMatchObject({ code: 'ECONNRESET' })
    using next = await PlainClient.open(server.url)
    expect(next.error).toBeUndefined()
  })
})

describe('answerUpgrade', () => {
  test.each([
    [
      'an upgrade with a wrong key',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n',
      'Invalid Sec-WebSocket-Accept header',
    ],
    ['no HTTP at all', new TextEncoder().encode('SSH-2.0-mock\r\n'), 'Parse Error'],
  ])('answers with %s', async (_name, bytes, message) => {
    await using server = await startMockServer()
    server.faults.answerUpgrade(bytes, { times: 1 })
    using client = new PlainClient(server.url)
    await client.untilClosed()
    expect(client.error?.message).toContain(message)
    using next = await PlainClient.open(server.url)
    expect(next.error).toBeUndefined()
  })
})

describe('closeAfterOpen', () => {
  test('accepts and closes with its code, as often as it is told', async () => {
    await using server = await startMockServer()
    server.faults.closeAfterOpen(1013, { times: 2, reason: 'try later' })
    for (const _ of [1, 2]) {
      using client = await PlainClient.open(server.url)
      expect(await client.untilClosed()).toEqual({ code: 1013, reason: 'try later' })
    }
    using client = await PlainClient.open(server.url)
    server.inject('still here')
    expect(await client.untilMessages(1)).toEqual(['still here'])
    expect(server.connections).toHaveLength(3)
  })

  test('sends what onConnection sends before the close', async () => {
    await using server = await startMockServer({
      onConnection: (connection) => void connection.send('welcome'),
    })
    server.faults.closeAfterOpen(4001)
    using client = await PlainClient.open(server.url)
    expect(await client.untilClosed()).toMatchObject({ code: 4001 })
    expect(client.messages).toEqual(['welcome'])
  })
})
