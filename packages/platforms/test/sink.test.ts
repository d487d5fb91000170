import type { ErrorKind, Outcome } from '@bus/core'
import { leavesNothing, resources, serve, until } from '@bus/test-support/websocket'
import { webSocketSink } from '../src/index.ts'
import { sinkOf } from './connectors.ts'
import { describe, expect, test } from 'vitest'

interface Refusal {
  readonly code: string
  readonly outcome?: Outcome
}

async function refusalOf(doing: Promise<unknown>): Promise<Refusal | undefined> {
  return doing.then(
    () => undefined,
    ({ code, outcome }: Refusal) => ({ code, ...(outcome === undefined ? {} : { outcome }) }),
  )
}

describe('a sink', () => {
  test('connects with its first publish, when nobody has started it', async () => {
    const server = await serve()
    const sink = sinkOf(server)
    expect([sink.isConnected, server.upgradeAttempts]).toEqual([false, 0])
    await expect(sink.publish('hello')).resolves.toMatchObject({ status: 'sent', attempts: 1 })
    await server.waitForMessage('hello')
    expect([sink.isConnected, server.upgradeAttempts]).toEqual([true, 1])
  })

  test('starts, and says at once when it cannot', async () => {
    const server = await serve()
    const sink = sinkOf(server)
    await sink.start()
    await sink.start()
    expect([sink.isConnected, server.upgradeAttempts]).toEqual([true, 1])
    server.faults.refuse(503)
    const other = sinkOf(server)
    expect(await refusalOf(other.start())).toMatchObject({ code: 'handshake' })
  })

  test('sends text messages by default, and binary ones when told to', async () => {
    const server = await serve()
    await sinkOf(server).publish(Buffer.from('täxt'))
    const binary = sinkOf(server, { messageType: 'binary' })
    await binary.publish(new Uint8Array([0xff, 0]))
    await binary.publish('as bytes')
    await server.waitUntil(() => server.received.length === 3)
    expect(server.received.map(({ kind, data }) => [kind, data])).toEqual([
      ['text', 'täxt'],
      ['binary', new Uint8Array([0xff, 0])],
      ['binary', new Uint8Array(Buffer.from('as bytes'))],
    ])
  })

  test('refuses what is not valid UTF-8 as a text message, and what is no message at all, and sends nothing', async () => {
    const server = await serve()
    const sink = sinkOf(server)
    const invalid = [new Uint8Array([0xff]), new Uint8Array([0xc3]), 'half \uD800']
    for (const data of invalid) {
      expect(await refusalOf(sink.publish(data))).toEqual({
        code: 'serialization',
        outcome: 'not-sent',
      })
    }
    const noMessage = { a: 1 } as unknown as string
    expect(await refusalOf(sink.publish(noMessage))).toMatchObject({ code: 'config' })
    expect(server.upgradeAttempts).toBe(0)
    const binary = sinkOf(server, { messageType: 'binary' })
    expect(await refusalOf(binary.publish('half \uD800'))).toMatchObject({ code: 'serialization' })
  })

  test('of format json refuses what is not JSON', async () => {
    const server = await serve()
    const sink = sinkOf(server, { format: 'json' })
    expect(await refusalOf(sink.publish('{'))).toEqual({
      code: 'serialization',
      outcome: 'not-sent',
    })
    await sink.publish('{"a":1}')
    await server.waitForMessage({ a: 1 })
  })

  test('sends the bytes that the message had when it was published', async () => {
    const server = await serve()
    const sink = sinkOf(server, { messageType: 'binary' })
    const bytes = new Uint8Array([1, 2])
    const sent = sink.publish(bytes)
    bytes.fill(9)
    await sent
    await server.waitUntil(() => server.received.length === 1)
    expect(server.received[0]?.data).toEqual(new Uint8Array([1, 2]))
  })

  test('keeps the order of publishes, also of those from before the connection', async () => {
    const server = await serve()
    const sink = sinkOf(server)
    await Promise.all(Array.from({ length: 200 }, (_, n) => sink.publish(String(n))))
    await server.waitUntil(() => server.received.length === 200)
    expect(server.received.map(({ text }) => Number(text))).toEqual(
      Array.from({ length: 200 }, (_, n) => n),
    )
  })
})

describe('publishing while there is no connection', () => {
  test('with reconnect waits for the next link, and is sent over it', async () => {
    const server = await serve()
    const sink = sinkOf(server)
    await sink.start()
    let published: Promise<unknown> = Promise.resolve()
    await server.restart({
      whileDown: async () => {
        await until(() => !sink.isConnected, 'the loss is seen')
        published = sink.publish('late')
      },
    })
    await expect(published).resolves.toMatchObject({ status: 'sent' })
    await server.waitForMessage('late')
  })

  test('with reconnect is told when the last attempt has failed, and the next publish tries anew', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const errors: ErrorKind[] = []
    const sink = sinkOf(server, {
      reconnect: { maxAttempts: 2, backoff: () => 1 },
      onError: (_error, kind) => errors.push(kind),
    })
    expect(await refusalOf(sink.publish('a'))).toEqual({ code: 'closed', outcome: 'not-sent' })
    expect(server.upgradeAttempts).toBe(3)
    expect(errors.length).toBeGreaterThan(0)
    server.faults.clear()
    await expect(sink.publish('b')).resolves.toMatchObject({ status: 'sent' })
    expect((await server.waitForMessage('b')).text).toBe('b')
    expect(server.received).toHaveLength(1)
  })

  test('without reconnect is refused at once after the loss, until it is started again', async () => {
    const server = await serve()
    const sink = sinkOf(server, { reconnect: false })
    await sink.publish('first')
    await server.waitForMessage('first')
    server.faults.reset()
    await until(() => !sink.isConnected, 'the loss is seen')
    expect(await refusalOf(sink.publish('lost'))).toEqual({ code: 'closed', outcome: 'not-sent' })
    expect(server.upgradeAttempts).toBe(1)
    await sink.start()
    await sink.publish('again')
    await server.waitForMessage('again')
    expect(server.received.map(({ text }) => text)).toEqual(['first', 'again'])
  })

  test('can be ended by its signal and its time limit', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const sink = sinkOf(server)
    expect(await refusalOf(sink.publish('a', { timeoutMs: 10 }))).toMatchObject({ code: 'timeout' })
    const signal = AbortSignal.abort()
    expect(await refusalOf(sink.publish('a', { signal }))).toMatchObject({ code: 'aborted' })
  })

  test('is given up after so many links that broke while it was sent', async () => {
    const server = await serve()
    server.faults.stall()
    const size = { maxMessageBytes: 40_000_000, queue: { maxBytes: 40_000_000 } }
    const sink = sinkOf(server, { ...size, maxAttempts: 1 })
    const published = refusalOf(sink.publish('x'.repeat(20_000_000)))
    await sink.start()
    await until(() => sink.transport.backpressureStats().size === 1, 'it is under way')
    await new Promise((resolve) => setImmediate(resolve))
    server.faults.reset()
    expect(await published).toEqual({ code: 'attempts-exhausted', outcome: 'unknown' })
  })

  test('is bounded by the queue', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const sink = sinkOf(server, { queue: { capacity: 1, strategy: 'reject' } })
    const first = sink.publish('a')
    expect(await refusalOf(sink.publish('b'))).toMatchObject({ code: 'queue-full' })
    server.faults.clear()
    await first
  })
})

describe('stopping a sink', () => {
  test('sends what it has accepted, closes, and leaves nothing', async () => {
    const server = await serve()
    const before = resources()
    const sink = sinkOf(server)
    const published = sink.publish('last')
    const stopped = sink.stop()
    expect(sink.stop()).toBe(stopped)
    await expect(stopped).resolves.toEqual({ unsent: [], unhandled: 0 })
    await published
    await expect(server.connections[0]?.waitForClose()).resolves.toMatchObject({ code: 1000 })
    expect(server.received.map(({ text }) => text)).toEqual(['last'])
    await leavesNothing(before)
  })

  test('names what could not be sent in time', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const sink = sinkOf(server)
    const published = refusalOf(sink.publish('a'))
    const { unsent } = await sink.stop({ timeoutMs: 10 })
    expect(unsent).toHaveLength(1)
    expect(await published).toEqual({ code: 'closed', outcome: 'not-sent' })
  })

  test('makes it refuse messages until it is started again', async () => {
    const server = await serve()
    const sink = sinkOf(server)
    await sink.publish('one')
    await sink.stop()
    expect(await refusalOf(sink.publish('no'))).toEqual({ code: 'closed', outcome: 'not-sent' })
    expect(server.upgradeAttempts).toBe(1)
    await sink.start()
    await sink.publish('two')
    await server.waitForMessage('two')
    expect(server.upgradeAttempts).toBe(2)
  })

  test('is waited for by a start that comes meanwhile', async () => {
    const server = await serve()
    const sink = sinkOf(server)
    await sink.publish('one')
    const stopped = sink.stop()
    await sink.start()
    await stopped
    expect(sink.isConnected).toBe(true)
  })
})

describe('a sink besides that', () => {
  test('checks its connectivity', async () => {
    const server = await serve()
    const sink = sinkOf(server)
    await sink.validateConnectivity()
    await server.connections[0]?.waitForClose()
    expect(sink.isConnected).toBe(false)
    await server.close()
    expect(await refusalOf(sink.validateConnectivity())).toMatchObject({ code: 'connection' })
  })

  test('is cloned with its options, without its connection', async () => {
    const server = await serve()
    const sink = sinkOf(server, { messageType: 'binary' })
    await sink.publish('a')
    await using copy = sink.clone()
    expect([copy.isConnected, copy.transport.stats().sent]).toEqual([false, 0])
    await copy.publish('b')
    await server.waitUntil(() => server.received.length === 2)
    expect(server.received.map(({ kind }) => kind)).toEqual(['binary', 'binary'])
    expect(server.connections).toHaveLength(2)
  })

  test.each<[Record<string, unknown>, string]>([
    [{ messageType: 'xml' }, 'messageType'],
    [{ format: 'csv' }, 'format'],
    [{ maxAttempts: 0 }, 'maxAttempts'],
    [{ queue: { size: 3 } }, 'queue.size'],
    [{ onError: 1 }, 'onError'],
    [{ messagetype: 'text' }, 'messagetype'],
    [{ whenDisconnected: 'reject' }, 'whenDisconnected'],
    [{ timeouts: { connectMs: 0 } }, 'timeouts.connectMs'],
  ])('refuses %j by its name when it is made', (options, path) => {
    expect(() => webSocketSink({ url: 'ws://127.0.0.1:1', ...options })).toThrow(
      expect.objectContaining({ code: 'config', path }),
    )
  })
})
