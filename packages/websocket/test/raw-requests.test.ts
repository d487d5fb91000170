import { UnsupportedError } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { busV1, type RawFrame } from '../src/index.ts'
import { FakeClock } from './fake-clock.ts'
import { startHub } from './hub-clients.ts'
import { collect, cut, frameOf, only, record, serve, transportTo, until } from './harness.ts'

interface Answer {
  readonly re?: string
  readonly ok?: unknown
  readonly failure?: string
}

/** The answer to the order of this name: its value, its error, or nothing for a frame that is none. */
const answerTo =
  (name: string) =>
  ({ kind, data }: RawFrame): unknown => {
    const { re, ok, failure } = (kind === 'text' ? JSON.parse(data) : {}) as Answer
    if (re !== name) return undefined
    if (failure !== undefined) throw new Error(failure)
    return ok
  }

describe('request()', () => {
  test('gives what the matcher makes of the answer, and nothing that is unrelated is lost', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const events = await collect(transport)
    const call = transport.request('{"do":"a"}', answerTo('a'))
    await server.waitForMessage('{"do":"a"}')
    server.inject(frameOf('tick', 1))
    server.inject({ re: 'a', ok: { total: 7 } })
    server.inject(frameOf('tick', 2))
    await expect(call).resolves.toEqual({ total: 7 })
    await until(() => events.events.length === 2, 'both ticks arrive')
    expect(events.payloads).toEqual([1, 2])
  })

  test('rejects with what the matcher throws, and uses that frame up', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const events = await collect(transport)
    const notices = record(transport)
    const call = transport.request('{"do":"a"}', answerTo('a'))
    await server.waitForMessage('{"do":"a"}')
    server.inject({ re: 'a', failure: 'not today' })
    await expect(call).rejects.toThrow('not today')
    server.inject(frameOf('tick', 1))
    await until(() => events.events.length === 1, 'the tick arrives')
    expect(only(notices, 'undeliverable')).toEqual([])
  })

  test('skips what the matcher does not recognise: each of several waits gets its own answer', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    const calls = ['a', 'b', 'c'].map((name) => transport.request(`do ${name}`, answerTo(name)))
    await server.waitForMessage('do c')
    for (const re of ['c', 'a', 'b']) server.inject({ re, ok: re.toUpperCase() })
    await expect(Promise.all(calls)).resolves.toEqual(['A', 'B', 'C'])
  })

  test('sends bytes as bytes', async () => {
    const server = await serve({ handler: 'echo' })
    const transport = transportTo(server)
    await transport.connect()
    const answer = await transport.request(new Uint8Array([1, 2]), ({ kind, data }) =>
      kind === 'binary' ? [...data] : undefined,
    )
    expect(answer).toEqual([1, 2])
  })

  test('ends after ten seconds, after its own time limit, by its signal and with its link', async () => {
    const clock = new FakeClock()
    const server = await serve()
    const transport = transportTo(server, { clock, heartbeat: false })
    await transport.connect()
    const abort = new AbortController()
    const ends = [{}, { timeoutMs: 50 }, { signal: abort.signal }, { timeoutMs: Infinity }].map(
      (options) =>
        transport.request('a', () => undefined, options).catch((error: unknown) => error),
    )
    const [usual, short, aborted, lost] = ends
    await until(() => server.received.length === 4, 'all are sent')
    clock.advance(50)
    await expect(short).resolves.toMatchObject({ code: 'timeout' })
    abort.abort()
    await expect(aborted).resolves.toMatchObject({ code: 'aborted' })
    clock.advance(9_950)
    await expect(usual).resolves.toMatchObject({ code: 'timeout' })
    server.faults.reset()
    await expect(lost).resolves.toMatchObject({ code: 'disconnected', outcome: 'unknown' })
    const refusal = { code: 'disconnected', outcome: 'not-sent' }
    await expect(transport.request('b', () => true)).rejects.toMatchObject(refusal)
    await transport.close()
    const closed = { code: 'closed', outcome: 'not-sent' }
    await expect(transport.request('b', () => true)).rejects.toMatchObject(closed)
  })

  test('refuses when a thousand wait already', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    const calls = Array.from({ length: 1_001 }, () =>
      transport.request('a', () => undefined).catch((error: unknown) => error),
    )
    await expect(calls[1_000]).resolves.toMatchObject({ code: 'queue-full', outcome: 'not-sent' })
    await transport.close()
    await expect(calls[0]).resolves.toMatchObject({ code: 'disconnected' })
  })

  test('is not for a hub, whose wire has no place for frames of its own', async () => {
    const hub = await startHub()
    const transport = transportTo(hub, { protocol: busV1() })
    await transport.connect()
    await expect(transport.request('a', () => true)).rejects.toThrow(UnsupportedError)
    expect(transport.status).toMatchObject({ state: 'ready', generation: 1 })
  })

  test.each([
    ['timeoutMs', { timeoutMs: 0 }],
    ['signal', { signal: 1 }],
    ['retry', { retry: true }],
  ])('refuses a bad option %s', async (path, options) => {
    const server = await serve()
    const call = transportTo(server).request('a', () => true, options as never)
    await expect(call).rejects.toMatchObject({ code: 'config', path })
  })
})

describe('waitFor()', () => {
  const isTick = (n: number) => (frame: RawFrame) => String(frame.data) === frameOf('tick', n)

  test('resolves with the frame that passes the test, which its subscriber gets all the same', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const events = await collect(transport, 'tick')
    const wait = transport.waitFor(isTick(2))
    for (const n of [1, 2, 3]) server.inject(frameOf('tick', n))
    await expect(wait).resolves.toEqual({ kind: 'text', data: frameOf('tick', 2) })
    await until(() => events.events.length === 3, 'all arrive')
    expect(events.payloads).toEqual([1, 2, 3])
  })

  test('several may wait for the same frame, also one that is no event or the answer to a request', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    const isAnswer = ({ data }: RawFrame): boolean => String(data).includes('"re"')
    const waits = [transport.waitFor(isAnswer), transport.waitFor(isAnswer)]
    const call = transport.request('a', answerTo('a'))
    await server.waitForMessage('a')
    server.inject({ re: 'a', ok: 1 })
    await expect(call).resolves.toBe(1)
    await expect(Promise.all(waits)).resolves.toMatchObject([{ kind: 'text' }, { kind: 'text' }])
  })

  test('waits before there is a link, and over all links', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const wait = transport.waitFor(isTick(1))
    await transport.connect()
    await cut(server, transport)
    await transport.connect()
    await server.waitForConnection({ index: 1 })
    server.inject(frameOf('tick', 1))
    await expect(wait).resolves.toMatchObject({ data: frameOf('tick', 1) })
  })

  test('ends after its time limit, by its signal, with the transport, and when the test throws', async () => {
    const clock = new FakeClock()
    const server = await serve()
    const transport = transportTo(server, { clock, heartbeat: false })
    await transport.connect()
    const abort = new AbortController()
    const never = (): boolean => false
    const bad = (): boolean => {
      throw new Error('bad test')
    }
    const ends = [
      transport.waitFor(never, { timeoutMs: 50 }),
      transport.waitFor(never, { signal: abort.signal }),
      transport.waitFor(bad),
      transport.waitFor(never),
    ].map((wait) => wait.catch((error: unknown) => error))
    clock.advance(50)
    await expect(ends[0]).resolves.toMatchObject({ code: 'timeout' })
    abort.abort()
    await expect(ends[1]).resolves.toMatchObject({ code: 'aborted' })
    server.inject(frameOf('tick', 1))
    await expect(ends[2]).resolves.toMatchObject({ message: 'bad test' })
    await transport.close()
    await expect(ends[3]).resolves.toMatchObject({ code: 'closed' })
    await expect(transport.waitFor(never)).rejects.toMatchObject({ code: 'closed' })
    expect(clock.pending).toBe(0)
  })

  test.each([
    ['timeoutMs', { timeoutMs: -1 }],
    ['signal', { signal: 1 }],
    ['count', { count: 2 }],
  ])('refuses a bad option %s', async (path, options) => {
    const transport = transportTo({ url: 'ws://127.0.0.1:9/' })
    const wait = transport.waitFor(() => true, options as never)
    await expect(wait).rejects.toMatchObject({ code: 'config', path })
  })
})
