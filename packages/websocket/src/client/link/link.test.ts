import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { serve, until } from '../../../test/harness.ts'
import { plainJson } from '../../protocol/plain-json.ts'
import { dial } from './dial.ts'
import { Link, type CloseInfo } from './link.ts'
import { resolveOptions } from '../options/resolve-options.ts'

/** What a link has passed on. */
class Seen {
  readonly frames: unknown[] = []
  /** As the tap got them. */
  readonly tapped: unknown[] = []
  readonly reported: unknown[] = []
  readonly ends: CloseInfo[] = []
}

/** A link whose socket is open, and that is not started. */
async function open(options: Parameters<typeof serve>[0] = {}) {
  const server = await serve(options)
  const ws = new WebSocket(server.url)
  const seen = new Seen()
  const link = new Link(
    ws,
    { ...resolveOptions({ url: server.url }), url: server.url },
    {
      frame: (frame) => void seen.frames.push(frame),
      text: undefined,
      tap: { isWatched: true, frame: (frame) => void seen.tapped.push(frame) },
      profileFailed: () => {},
      report: (kind, error) => void seen.reported.push({ kind, error }),
      missed: () => {},
    },
  )
  void link.closed.then((info) => seen.ends.push(info))
  onTestFinished(() => ws.terminate())
  await Promise.all([once(ws, 'open'), server.waitForConnection()])
  return { server, ws, link, seen }
}

async function setUp() {
  const { server, link, seen } = await open()
  link.start(1)
  link.ready()
  const { frames, tapped, reported } = seen
  return { server, link, frames, seen: tapped, reported }
}

describe('the connection of a link', () => {
  test('keeps the frames that come before it is started, and passes them on in order right after that', async () => {
    const { server, link, seen } = await open()
    server.inject('one')
    server.inject(Buffer.from([2]))
    await server.live[0]?.waitForClose({ timeoutMs: 20 }).catch(() => {})
    link.start(1)
    const first = link.waitFor((frame) => frame)
    link.ready()
    expect(seen.tapped).toEqual([])
    await expect(first).resolves.toBe('one')
    expect(seen.frames).toEqual([Buffer.from([2])])
    server.inject('three')
    await until(() => seen.frames.length === 2, 'the third')
    expect(seen.tapped).toEqual(['one', Buffer.from([2]), 'three'])
  })

  test('loses nothing of a text message that came in the same read as the answer to its handshake', async () => {
    const server = createServer((socket) => {
      socket.once('data', (request) => {
        const key = /sec-websocket-key: (.+)\r\n/i.exec(request.toString())?.[1] ?? ''
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        const head =
          'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n'
        const frame = Buffer.from([0x81, 5, ...Buffer.from('hello')])
        const answer = `${head}sec-websocket-accept: ${accept.digest('base64')}\r\n\r\n`
        socket.write(Buffer.concat([Buffer.from(answer), frame]))
      })
      socket.on('error', () => {})
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    const texts: string[] = []
    const frames: unknown[] = []
    const { signal } = new AbortController()
    const options = resolveOptions({ url, protocol: plainJson() })
    const link = await dial(options, options.protocol, { attempt: 1, turn: 0 }, signal, {
      frame: (frame) => void frames.push(frame),
      text: (bytes) => void texts.push(bytes.toString()),
      tap: { isWatched: false, frame: () => {} },
      profileFailed: () => {},
      report: () => {},
      missed: () => {},
    })
    onTestFinished(() => link.terminate())
    link.start(1)
    await expect(link.waitFor((frame) => frame)).resolves.toBe('hello')
    expect([texts, frames]).toEqual([[], []])
  })

  test('passes on its end once, also if it is started after that', async () => {
    const { server, ws, link, seen } = await open()
    const closed = once(ws, 'close')
    server.disconnect(1001, 'bye')
    await closed
    expect([seen.ends, link.signal.aborted]).toEqual([[], false])
    link.start(1)
    await link.closed
    expect(link.signal.aborted).toBe(true)
    expect(seen.ends).toMatchObject([{ code: 1001, reason: 'bye', initiatedBy: 'remote' }])
  })

  test('takes pings, pongs and data for signs of life, and passes on only data', async () => {
    const { server, link, seen } = await open()
    link.start(1)
    link.ready()
    expect(link.heartbeatStats().lastInboundAt).toBeUndefined()
    const inbound = async (cause: () => unknown): Promise<void> => {
      const { lastInboundAt: before } = link.heartbeatStats()
      cause()
      await until(() => link.heartbeatStats().lastInboundAt !== before, 'a sign of life')
    }
    await inbound(() => server.live[0]?.ping('p'))
    await inbound(() => link.probe({ timeoutMs: 5_000 }))
    await inbound(() => server.inject('data'))
    expect(seen.frames).toEqual(['data'])
  })

  test('leaves the end to the side that began it', async () => {
    const { server, link, seen } = await open()
    link.start(1)
    await Promise.resolve()
    server.disconnect(1001)
    await until(() => seen.ends.length === 1, 'the end')
    link.close(1000, 'late')
    link.terminate()
    expect(seen.ends).toMatchObject([{ code: 1001, initiatedBy: 'remote', wasClean: true }])
  })

  test('ends at once when it is terminated, also while it is paused', async () => {
    const { link, seen } = await open()
    link.start(1)
    link.hold()
    link.terminate()
    await until(() => seen.ends.length === 1, 'the end')
    expect(seen.ends).toMatchObject([{ code: 1006, initiatedBy: 'local', wasClean: false }])
    expect(link.isDestroyed).toBe(true)
  })

  test('does not ping when it is over', async () => {
    const { link, seen } = await open()
    link.start(1)
    link.terminate()
    const probe = link.probe({ timeoutMs: 5_000 })
    await expect(probe).rejects.toMatchObject({ code: 'disconnected' })
    expect(seen.ends).toHaveLength(1)
  })
})

describe('a link', () => {
  test('gives an awaited frame to the one who awaits it and to no other', async () => {
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
    link.terminate()
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

  test('learns what went wrong on it, and ended, by a caller that has only its scope', async () => {
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
