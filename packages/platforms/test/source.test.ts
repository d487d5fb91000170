import { gzipSync } from 'node:zlib'
import { InMemoryDeadLetterQueue, type ErrorKind } from '@bus/core'
import { leavesNothing, resources, serve, until } from '@bus/test-support/websocket'
import type { ErrorLogLevel, WebSocketSourceOptions } from '../src/index.ts'
import { Received, sourceFrom, sourceOf } from './connectors.ts'
import { describe, expect, test } from 'vitest'

async function codeOf(doing: Promise<unknown>): Promise<unknown> {
  return doing.then(
    () => 'fine',
    (error: unknown) => (error as { readonly code?: string }).code ?? (error as Error).name,
  )
}

describe('a source', () => {
  test('delivers text and binary messages as bytes, in order, and says which they were', async () => {
    const server = await serve()
    const received = new Received()
    const source = sourceOf(server)
    await source.start(received.callback)
    server.inject('täxt')
    server.inject(new Uint8Array([0, 255, 1]))
    server.inject('')
    await until(() => received.data.length === 3, 'all arrive')
    expect(received.data.map((bytes) => [...bytes])).toEqual([
      [...Buffer.from('täxt')],
      [0, 255, 1],
      [],
    ])
    expect(received.data.every((bytes) => bytes.constructor === Uint8Array)).toBe(true)
    expect(received.messages.map(({ kind, attempt }) => [kind, attempt])).toEqual([
      ['text', 1],
      ['binary', 1],
      ['text', 1],
    ])
    expect(source.stats()).toMatchObject({ handled: 3, failed: 0 })
  })

  test('stops: the server sees the end, no callback follows, and nothing is left', async () => {
    const server = await serve()
    const before = resources()
    const received = new Received()
    const source = sourceOf(server)
    expect([source.isRunning, source.transport]).toEqual([false, undefined])
    await source.start(received.callback)
    expect(source.isRunning).toBe(true)
    await source.stop()
    expect(source.isRunning).toBe(false)
    await expect(server.connections[0]?.waitForClose()).resolves.toMatchObject({ code: 1000 })
    await expect(source.closed).resolves.toBeUndefined()
    expect(received.data).toEqual([])
    await expect(source.stop()).resolves.toEqual({ unsent: [], unhandled: 0 })
    await leavesNothing(before)
  })

  test('handles what it has received before it stops, and says what it could not', async () => {
    const server = await serve()
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const handled: string[] = []
    const source = sourceOf(server)
    await source.start(async (data) => {
      await held
      handled.push(String(Buffer.from(data)))
    })
    for (const text of ['a', 'b', 'c']) server.inject(text)
    await until(() => source.stats()?.queue.size === 2, 'two wait')
    const stopped = source.stop()
    release()
    await expect(stopped).resolves.toMatchObject({ unhandled: 0 })
    expect(handled).toEqual(['a', 'b', 'c'])

    const stuck = sourceOf(server)
    await stuck.start(() => new Promise(() => {}))
    server.inject('x')
    await until(() => stuck.stats()?.active === 1, 'it hangs')
    await expect(stuck.stop({ timeoutMs: 10 })).resolves.toMatchObject({ unhandled: 1 })
  })

  test('starts again after a stop, over a new connection, with its error handling still on', async () => {
    const server = await serve()
    const errors: string[] = []
    const source = sourceOf(server, {
      errorPolicy: { strategy: 'retry', retry: { attempts: 2, backoff: () => 0 } },
      onError: (error, kind, level) => errors.push(`${kind} ${level} ${error.message}`),
      errorLogLevel: 'debug',
    })
    for (const run of [1, 2]) {
      const received = new Received()
      received.failure = new Error(`run ${run}`)
      await source.start(received.callback)
      server.inject(`message ${run}`)
      await until(() => source.deadLetters?.size === run, 'it is given up')
      expect(received.messages.map(({ attempt }) => attempt)).toEqual([1, 2])
      await source.stop()
    }
    expect(server.connections).toHaveLength(2)
    expect(errors).toEqual(['handler debug run 1', 'handler debug run 2'])
    const letters = source.deadLetters?.list() ?? []
    expect(
      letters.map(({ event }) => Buffer.from(event?.payload as Uint8Array).toString()),
    ).toEqual(['message 1', 'message 2'])
  })

  test('goes on over the next link, and sends its subscribe message on each', async () => {
    const server = await serve()
    const received = new Received()
    const source = sourceOf(server, {
      onOpen: () => ['{"op":"login"}'],
      subscribeMessage: ['{"op":"subscribe"}', new Uint8Array([1])],
    })
    await source.start(received.callback)
    await until(() => server.received.length === 3, 'all is asked')
    server.faults.reset()
    await until(() => server.received.length === 6, 'all is asked again')
    const asked = ['{"op":"login"}', '{"op":"subscribe"}', new Uint8Array([1])]
    expect(server.received.map(({ data }) => data)).toEqual([...asked, ...asked])
    server.inject('after')
    await until(() => received.texts.includes('after'), 'the next link delivers')
  })

  test('waits through attempts that fail, and tells of them', async () => {
    const server = await serve()
    const errors: ErrorKind[] = []
    const source = sourceOf(server, { onError: (_error, kind) => errors.push(kind) })
    server.faults.refuse(503)
    const started = source.start(() => {})
    await until(() => errors.length > 1, 'it is told')
    expect(new Set(errors)).toEqual(new Set(['connection']))
    server.faults.clear()
    await started
  })

  test('without reconnecting rejects its start, or ends with the link and says why', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const source = sourceOf(server, { reconnect: false })
    expect(await codeOf(source.start(() => {}))).toBe('handshake')
    expect(source.isRunning).toBe(false)
    await source.start(() => {})
    server.disconnect(1011)
    expect(await codeOf(source.closed)).toBe('connection')
    expect(source.isRunning).toBe(false)
    expect(server.upgradeAttempts).toBe(2)
  })

  test('cannot be started twice at once, nor without a callback', async () => {
    const server = await serve()
    const source = sourceOf(server)
    const first = source.start(() => {})
    await expect(source.start(() => {})).rejects.toThrow(TypeError)
    await first
    const other = sourceOf(server)
    expect(await codeOf(other.start(undefined as unknown as () => void))).toBe('config')
  })

  test('can be started while it stops: the start waits', async () => {
    const server = await serve()
    const received = new Received()
    const source = sourceOf(server)
    await source.start(received.callback)
    const stopped = source.stop()
    await source.start(received.callback)
    await stopped
    server.inject('second run')
    await until(() => received.texts.length === 1, 'it is delivered once')
  })

  test('ends by the signal of its start, also while it connects', async () => {
    const server = await serve()
    const before = resources()
    const source = sourceOf(server)
    expect(await codeOf(source.start(() => {}, { signal: AbortSignal.abort() }))).toBe('aborted')
    expect(server.upgradeAttempts).toBe(0)
    const abort = new AbortController()
    await source.start(() => {}, { signal: abort.signal })
    abort.abort()
    await source.closed
    expect(source.isRunning).toBe(false)
    server.faults.hangUpgrade()
    const early = new AbortController()
    const started = codeOf(source.start(() => {}, { signal: early.signal }))
    await until(() => server.upgradeAttempts === 2, 'it dials')
    early.abort()
    expect(await started).toBe('aborted')
    await leavesNothing(before)
  })

  test('can be stopped by its own callback', async () => {
    const server = await serve()
    const source = sourceOf(server)
    let seen = 0
    await source.start(async () => {
      seen++
      await source.stop()
    })
    server.inject('last')
    await source.closed
    expect([seen, source.isRunning]).toEqual([1, false])
  })

  test('holds the socket back while its callback is slower than the server', async () => {
    const server = await serve()
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let handled = 0
    const source = sourceOf(server, { queue: { capacity: 10 } })
    await source.start(async () => {
      await held
      handled++
    })
    for (let n = 0; n < 500; n++) server.inject(`message ${n} ${'x'.repeat(1_000)}`)
    // What one read has brought comes on top.
    await until(() => (source.stats()?.queue.size ?? 0) >= 10, 'the queue is full')
    expect(source.stats()?.queue.dropped).toBe(0)
    release()
    await until(() => handled === 500, 'none is lost')
  })

  test('checks its connectivity without asking for anything', async () => {
    const server = await serve()
    const source = sourceOf(server, { subscribeMessage: 'subscribe', onOpen: () => ['login'] })
    await source.validateConnectivity()
    await server.connections[0]?.waitForClose()
    expect(server.received.map(({ data }) => data)).toEqual(['login'])
    server.faults.refuse(401)
    expect(await codeOf(source.validateConnectivity())).toBe('handshake')
    expect(source.isRunning).toBe(false)
  })

  test('is cloned with its options, without its run and its figures', async () => {
    const server = await serve()
    const source = sourceOf(server, { format: 'json', headers: { 'x-who': 'me' } })
    await source.start(() => {})
    await using copy = source.clone({ headers: { 'x-who': 'copy' } })
    expect([copy.isRunning, copy.stats()]).toEqual([false, undefined])
    const received = new Received()
    await copy.start(received.callback)
    expect(server.upgrades.map(({ headers }) => headers['x-who'])).toEqual(['me', 'copy'])
    server.connections[1]?.send({ n: 1 })
    await until(() => received.messages.length === 1, 'it delivers')
    expect(received.messages[0]?.value).toEqual({ n: 1 })
    expect(source.stats()?.handled).toBe(0)
    expect(copy.deadLetters).not.toBe(source.deadLetters)
  })
})

describe('the format of a source', () => {
  test('json: gives the value, and what is not JSON is a failure that no retry mends', async () => {
    const server = await serve()
    const received = new Received()
    const source = sourceOf(server, {
      format: 'json',
      errorPolicy: { strategy: 'retry', retry: { attempts: 6 } },
    })
    await source.start(received.callback)
    server.inject('{"a":1}')
    server.inject('{"a":')
    server.inject(Buffer.from('[2]'))
    await until(() => received.messages.length === 2, 'both arrive')
    expect(received.messages.map(({ value }) => value)).toEqual([{ a: 1 }, [2]])
    expect(received.messages[0]?.text).toBe('{"a":1}')
    expect(source.deadLetters?.list()).toMatchObject([{ attempts: 1, error: { code: 'decode' } }])
  })

  test('text: gives the text, and refuses bytes that are none', async () => {
    const server = await serve()
    const received = new Received()
    const source = sourceOf(server, { format: 'text' })
    await source.start(received.callback)
    server.inject(new Uint8Array([0xff]))
    server.inject(Buffer.from('née'))
    await until(() => received.messages.length === 1, 'the text arrives')
    expect(received.messages[0]).toMatchObject({ kind: 'binary', text: 'née', value: undefined })
    expect(source.deadLetters?.list()).toMatchObject([
      { event: { payload: new Uint8Array([0xff]) } },
    ])
  })

  test('bytes: takes anything, and reads nothing into it', async () => {
    const server = await serve()
    const received = new Received()
    await sourceOf(server).start(received.callback)
    server.inject(new Uint8Array([0xff]))
    await until(() => received.messages.length === 1, 'it arrives')
    expect(received.messages[0]).toMatchObject({ text: undefined, value: undefined })
  })
})

describe('a source of compressed messages', () => {
  test('inflates binary messages, leaves text alone, and keeps their order', async () => {
    const server = await serve()
    const received = new Received()
    await sourceOf(server, { decompress: 'gzip', format: 'text' }).start(received.callback)
    const long = 'a'.repeat(100_000)
    server.inject(gzipSync(long))
    server.inject('plain')
    server.inject(gzipSync('short'))
    await until(() => received.texts.length === 3, 'all arrive')
    expect(received.messages.map(({ text }) => text)).toEqual([long, 'plain', 'short'])
  })

  test('gives up a message that would inflate beyond the limit, with its bytes as they came', async () => {
    const server = await serve()
    const received = new Received()
    const source = sourceOf(server, { decompress: 'gzip', maxInflatedBytes: 1_000 })
    await source.start(received.callback)
    const bomb = gzipSync(Buffer.alloc(10_000_000))
    server.inject(bomb)
    server.inject(gzipSync('fine'))
    await until(() => received.texts.length === 1, 'the next arrives')
    const [letter] = source.deadLetters?.list() ?? []
    expect(letter?.error.message).toMatch(/inflates to more than 1000 bytes/)
    expect(Buffer.from(letter?.event?.payload as Uint8Array).equals(bomb)).toBe(true)
  })
})

/** A source whose callback always fails, over properties. */
async function failing(
  properties: Record<string, string>,
  more: Partial<WebSocketSourceOptions> & {
    readonly deadLetterStreams?: Record<string, () => void>
  },
) {
  const server = await serve()
  const received = new Received()
  received.failure = new Error('callback')
  const told: [ErrorKind, ErrorLogLevel][] = []
  const onError = (_error: Error, kind: ErrorKind, level: ErrorLogLevel): void =>
    void told.push([kind, level])
  const source = sourceFrom(server, properties, { onError, ...more })
  await source.start(received.callback)
  return { server, received, source, told }
}

describe('the error properties of a source', () => {
  test('drop, which is the default, goes on after telling at the level that is said', async () => {
    const { server, received, source, told } = await failing({ 'error.log-level': 'INFO' }, {})
    server.inject('a')
    server.inject('b')
    await until(() => received.texts.length === 2, 'both came')
    expect(told).toEqual([
      ['handler', 'info'],
      ['handler', 'info'],
    ])
    expect(source.deadLetters?.size).toBe(0)
  })

  test('retry tries as often as they say, with their delays, then gives the message to the dead letters', async () => {
    const { server, received, source } = await failing(
      {
        'error.strategy': 'retry',
        'error.retry.max-attempts': '3',
        'error.retry.initial-delay-ms': '1',
        'error.retry.max-delay-ms': '2',
      },
      {},
    )
    server.inject('a')
    await until(() => source.deadLetters?.size === 1, 'it is given up')
    expect(received.messages.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(source.stats()).toMatchObject({ failed: 3, retried: 2, deadLettered: 1 })
  })

  test('dlq delivers to the stream that they name, and what fails there is delivered again without the callback', async () => {
    const delivered: string[] = []
    let refusals = 2
    const deadLetterStreams = {
      Failed: (letter?: { readonly event?: { readonly payload: unknown } }): void => {
        if (refusals-- > 0) throw new Error('not yet')
        delivered.push(Buffer.from(letter?.event?.payload as Uint8Array).toString())
      },
    }
    const { server, received, source, told } = await failing(
      {
        'error.strategy': 'dlq',
        'error.dlq.stream': 'Failed',
        'error.dlq.fallback-strategy': 'retry',
        'error.dlq.fallback-retry.max-attempts': '5',
        'error.dlq.fallback-retry.initial-delay': '1ms',
      },
      { deadLetterStreams },
    )
    server.inject('a')
    await until(() => delivered.length === 1, 'it is delivered')
    expect([received.texts, delivered]).toEqual([['a'], ['a']])
    expect(told.map(([kind]) => kind)).toEqual(['handler', 'dead-letter', 'dead-letter'])
    expect(source.deadLetters?.size).toBe(0)
  })

  test('dlq with fallback log goes on when the stream fails, and with fallback fail ends the source', async () => {
    const deadLetterStreams = {
      Failed: (): void => {
        throw new Error('never')
      },
    }
    const dlq = { 'error.strategy': 'dlq', 'error.dlq.stream': 'Failed' }
    const log = await failing(dlq, { deadLetterStreams })
    log.server.inject('a')
    log.server.inject('b')
    await until(() => log.received.texts.length === 2, 'it goes on')
    const fail = await failing(
      { ...dlq, 'error.dlq.fallback-strategy': 'fail' },
      { deadLetterStreams },
    )
    fail.server.inject('a')
    expect(await codeOf(fail.source.closed)).toBe('handler')
    expect(fail.received.texts).toEqual(['a'])
    expect(fail.source.isRunning).toBe(false)
  })

  test('fail ends the source with the error of the callback, and closes the connection', async () => {
    const { server, received, source } = await failing({ 'error.strategy': 'fail' }, {})
    server.inject('a')
    await expect(source.closed).rejects.toMatchObject({
      code: 'handler',
      cause: { message: 'callback' },
    })
    await server.connections[0]?.waitForClose()
    expect(received.texts).toEqual(['a'])
  })
})

describe('the options of a source', () => {
  test.each<[Record<string, unknown>, string]>([
    [{ format: 'xml' }, 'format'],
    [{ subscribeMessage: 3 }, 'subscribeMessage'],
    [{ subscribeMessage: ['a', 3] }, 'subscribeMessage[1]'],
    [{ decompress: 'brotli' }, 'decompress'],
    [{ maxInflatedBytes: 0 }, 'maxInflatedBytes'],
    [{ callbackTimeoutMs: 0 }, 'callbackTimeoutMs'],
    [{ deadLetters: {} }, 'deadLetters'],
    [{ errorLogLevel: 'loud' }, 'errorLogLevel'],
    [{ queue: { capacity: 0 } }, 'queue.capacity'],
    [{ errorPolicy: 'drop' }, 'errorPolicy'],
    [{ errorPolicy: { strategy: 'cry' } }, 'errorPolicy.strategy'],
    [{ onError: 'log' }, 'onError'],
    [{ subscribeMesage: 'a' }, 'subscribeMesage'],
    [{ protocol: {} }, 'protocol'],
    [{ heartbeat: { intervalMs: 0 } }, 'heartbeat.intervalMs'],
  ])('%j is refused by its name when the source is made', (options, path) => {
    expect(() => sourceOf({ url: 'ws://127.0.0.1:1' }, options)).toThrow(
      expect.objectContaining({ code: 'config', path }),
    )
  })

  test('callbackTimeoutMs: a callback that takes longer is a failure, and its signal aborts', async () => {
    const server = await serve()
    const signals: AbortSignal[] = []
    const source = sourceOf(server, { callbackTimeoutMs: 10 })
    await source.start((_data, { signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    server.inject('a')
    await until(() => source.deadLetters?.size === 1, 'it is given up')
    expect(signals[0]?.aborted).toBe(true)
  })

  test('deadLetters: a queue of your own gets the messages, and false means none', async () => {
    const server = await serve()
    const deadLetters = new InMemoryDeadLetterQueue()
    const received = new Received()
    received.failure = new Error('no')
    const source = sourceOf(server, { deadLetters })
    expect(source.deadLetters).toBe(deadLetters)
    await source.start(received.callback)
    server.inject('a')
    await until(() => deadLetters.size === 1, 'it is there')
    expect(sourceOf(server, { deadLetters: false }).deadLetters).toBeUndefined()
  })
})
