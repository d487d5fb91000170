import { describe, expect, test } from 'vitest'
import type { RawFrame } from '../src/index.ts'
import { collect, frameOf, serve, transportTo, until } from './harness.ts'

describe('frames()', () => {
  test('shows text as text and bytes as bytes, in order, also what is no event, over every link', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const all = await collect(transport)
    const frames = transport.frames()
    const seen: RawFrame[] = []
    const reading = (async () => {
      for await (const frame of frames) seen.push(frame)
    })()
    const text = frameOf('a', 1)
    server.inject(text)
    server.inject(Buffer.from([1, 2]))
    server.inject('')
    await until(() => seen.length === 3, 'three frames')
    server.faults.reset()
    await until(() => transport.stats().reconnects === 1, 'reconnected')
    server.inject('again')
    await until(() => seen.length === 4, 'the fourth')
    expect(seen).toEqual([
      { kind: 'text', data: text },
      { kind: 'binary', data: Buffer.from([1, 2]) },
      { kind: 'text', data: '' },
      { kind: 'text', data: 'again' },
    ])
    expect(all.events).toHaveLength(1)
    await transport.close()
    await reading
  })

  test('skips the oldest for an observer that is slower than the link, which is not slowed down', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const all = await collect(transport)
    const frames = transport.frames({ highWaterMark: 2 })
    for (let n = 1; n <= 5; n++) server.inject(frameOf('a', n))
    await until(() => all.events.length === 5, 'all events')
    const seen = [await frames.next(), await frames.next()].map(
      ({ value }) =>
        (JSON.parse((value as RawFrame).data as string) as { payload: number }).payload,
    )
    expect(seen).toEqual([4, 5])
    await frames.return()
  })

  test('ends when its signal aborts, and at once on a closed transport', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    const abort = new AbortController()
    const frames = transport.frames({ signal: abort.signal })
    const next = frames.next()
    abort.abort()
    await expect(next).resolves.toEqual({ done: true, value: undefined })
    await transport.close()
    await expect(transport.frames().next()).resolves.toMatchObject({ done: true })
  })

  test('refuses a limit that is none', () => {
    const transport = transportTo({ url: 'ws://h/' })
    expect(() => transport.frames({ highWaterMark: 0 })).toThrow(
      expect.objectContaining({ code: 'config', path: 'highWaterMark' }) as Error,
    )
  })
})
