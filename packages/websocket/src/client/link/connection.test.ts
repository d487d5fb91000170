import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { serve, until } from '../../../test/harness.ts'
import { Connection, type CloseInfo } from './connection.ts'

class Owner {
  readonly seen: unknown[] = []
  readonly ends: CloseInfo[] = []
  signs = 0
  frame(frame: unknown): void {
    this.seen.push(frame)
  }
  text(bytes: Buffer): void {
    this.seen.push(bytes.toString())
  }
  activity(): void {
    this.signs++
  }
  pong(payload: string): void {
    this.seen.push(`pong ${payload}`)
  }
  closed(info: CloseInfo): void {
    this.ends.push(info)
  }
}

async function setUp(options: Parameters<typeof serve>[0] = {}) {
  const server = await serve(options)
  const ws = new WebSocket(server.url)
  const connection = new Connection(ws)
  onTestFinished(() => ws.terminate())
  await Promise.all([once(ws, 'open'), server.waitForConnection()])
  return { server, ws, connection, owner: new Owner() }
}

describe('a connection', () => {
  test('keeps the frames that come before it has an owner, and hands them over in order', async () => {
    const { server, connection, owner } = await setUp()
    server.inject('one')
    server.inject(Buffer.from([2]))
    await server.live[0]?.waitForClose({ timeoutMs: 20 }).catch(() => {})
    connection.attach(owner)
    expect(owner.seen).toEqual([])
    await Promise.resolve()
    expect(owner.seen).toEqual(['one', Buffer.from([2])])
    expect(owner.signs).toBe(2)
    server.inject('three')
    await until(() => owner.seen.length === 3, 'the third')
  })

  test('tells an owner that comes late of its end, once', async () => {
    const { server, connection, owner } = await setUp()
    server.disconnect(1001, 'bye')
    await until(() => connection.closeInfo !== undefined, 'the end')
    connection.attach(owner)
    await Promise.resolve()
    expect(owner.ends).toMatchObject([{ code: 1001, reason: 'bye', initiatedBy: 'remote' }])
  })

  test('takes pings, pongs and data for signs of life, and hands on only data and pongs', async () => {
    const { server, connection, owner } = await setUp()
    connection.attach(owner)
    await Promise.resolve()
    server.live[0]?.ping('p')
    connection.ping('7')
    server.inject('data')
    await until(() => owner.signs === 3, 'three signs')
    expect(new Set(owner.seen)).toEqual(new Set(['data', 'pong 7']))
  })

  test('leaves the end to the one who began it', async () => {
    const { server, connection, owner } = await setUp()
    connection.attach(owner)
    await Promise.resolve()
    server.disconnect(1001)
    await until(() => owner.ends.length === 1, 'the end')
    connection.close(1000, 'late')
    connection.terminate()
    expect(owner.ends).toMatchObject([{ code: 1001, initiatedBy: 'remote', wasClean: true }])
  })

  test('ends at once when it is terminated, also while it is paused', async () => {
    const { connection, owner } = await setUp()
    connection.attach(owner)
    connection.pause()
    connection.terminate()
    await until(() => owner.ends.length === 1, 'the end')
    expect(owner.ends).toMatchObject([{ code: 1006, initiatedBy: 'local', wasClean: false }])
    expect(connection.isDestroyed).toBe(true)
  })

  test('does not ping when it is over', async () => {
    const { connection, owner } = await setUp()
    connection.attach(owner)
    connection.terminate()
    expect(() => connection.ping('1')).not.toThrow()
    await until(() => owner.ends.length === 1, 'the end')
    expect(() => connection.ping('2')).not.toThrow()
  })
})
