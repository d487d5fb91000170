import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { serve, until } from '../../../test/harness.ts'
import { Connection } from './connection.ts'
import { Link } from './link.ts'
import { resolveOptions } from '../options/options.ts'

async function setUp() {
  const server = await serve()
  const ws = new WebSocket(server.url)
  const connection = new Connection(ws)
  onTestFinished(() => ws.terminate())
  await Promise.all([once(ws, 'open'), server.waitForConnection()])
  const frames: unknown[] = []
  const seen: unknown[] = []
  const reported: unknown[] = []
  const link = new Link(connection, 1, resolveOptions({ url: server.url }), {
    frame: (frame) => void frames.push(frame),
    text: undefined,
    tap: { isWatched: true, frame: (frame) => void seen.push(frame) },
    profileFailed: () => {},
    report: (kind, error) => void reported.push({ kind, error }),
    missed: () => {},
  })
  link.ready()
  return { server, link, frames, seen, reported }
}

describe('a link', () => {
  test('gives an awaited frame to the one who awaits it and to nobody else', async () => {
    const { server, link, frames, seen } = await setUp()
    const two = link.waitFor((frame) => (frame === 'two' ? 2 : undefined))
    for (const text of ['one', 'two', 'two']) server.inject(text)
    await expect(two).resolves.toBe(2)
    await until(() => frames.length === 2, 'the rest')
    expect(frames).toEqual(['one', 'two'])
    expect(seen).toEqual(['one', 'two', 'two'])
  })

  test('gives frames to those who wait in the order in which they came', async () => {
    const { server, link } = await setUp()
    const waits = [link.waitFor((frame) => frame), link.waitFor((frame) => frame)]
    server.inject('one')
    server.inject('two')
    await expect(Promise.all(waits)).resolves.toEqual(['one', 'two'])
  })

  test('fails a wait whose test throws, and takes that frame for its answer', async () => {
    const { server, link, frames } = await setUp()
    const wait = link.waitFor(() => {
      throw new Error('refused')
    })
    server.inject('answer')
    await expect(wait).rejects.toThrow('refused')
    expect(frames).toEqual([])
  })

  test('ends every wait and its signal when it ends, and refuses new ones', async () => {
    const { server, link } = await setUp()
    const wait = link.waitFor(() => undefined)
    server.faults.reset()
    await expect(wait).rejects.toMatchObject({ code: 'disconnected' })
    expect(link.signal.aborted).toBe(true)
    await expect(link.waitFor(() => undefined)).rejects.toMatchObject({ code: 'disconnected' })
    await expect(link.closed).resolves.toMatchObject({ code: 1006 })
    await expect(link.send('late')).rejects.toMatchObject({ code: 'disconnected' })
    await expect(link.probe({ timeoutMs: 10 })).rejects.toMatchObject({ code: 'disconnected' })
  })

  test('ends its waits as soon as it is closed, not only when the other side agrees', async () => {
    const { server, link } = await setUp()
    server.faults.stall()
    const wait = link.waitFor(() => undefined)
    link.close(1000, '')
    expect(link.signal.aborted).toBe(true)
    await expect(wait).rejects.toMatchObject({ code: 'disconnected' })
    link.connection.terminate()
    await link.closed
  })

  test('stops reading while it is held, and loses nothing by it', async () => {
    const { server, link, frames } = await setUp()
    link.hold()
    link.hold()
    expect(link.isHeld).toBe(true)
    server.inject('kept')
    await link.send('out')
    await server.waitForMessage('out')
    expect(frames).toEqual([])
    link.release()
    await until(() => frames.length === 1, 'the frame')
    expect(link.isHeld).toBe(false)
  })

  test('measures the round trip', async () => {
    const { link } = await setUp()
    await expect(link.probe({ timeoutMs: 1_000 })).resolves.toBeGreaterThanOrEqual(0)
  })

  test('ends a wait by its own signal, and the others go on', async () => {
    const { server, link } = await setUp()
    const own = new AbortController()
    const given = link.waitFor(() => undefined, own.signal)
    const other = link.waitFor((frame) => (frame === 'x' ? 1 : undefined))
    own.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    server.inject('x')
    await expect(other).resolves.toBe(1)
    const scoped = link.scoped(new AbortController().signal)
    const late = scoped.waitFor(() => undefined, AbortSignal.abort(new Error('over')))
    await expect(late).rejects.toThrow('over')
  })

  test('is told what went wrong on it, and ended, by whoever has only its scope', async () => {
    const { link, reported } = await setUp()
    const scoped = link.scoped(link.signal)
    const error = new Error('x')
    scoped.report('auth', error)
    expect(reported).toEqual([{ kind: 'auth', error }])
    scoped.close(4401, 'over')
    expect(link.signal.aborted).toBe(true)
    await link.closed
  })
})
