/** How a hub sends its clients away, and clients whose calls come in every order. */
import { createEvent } from '@bus/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { webSocketTransport, type WebSocketTransport } from '../src/index.ts'
import { resources, leavesNothing, until } from './harness.ts'
import { startHubChild } from './hub-child.ts'
import { join, startHub } from './hub-clients.ts'
import { greet, sub } from './wire-client.ts'

test('hundreds of clients of both wires are sent away at once, with a word of when to come back, and none is left [F134]', async () => {
  const hub = await startHubChild({ hub: { closeMs: 500 } })
  const clients = []
  for (let n = 0; n < 400; n += 50) {
    const some = Array.from({ length: 50 }, () => greet(hub, { subs: [sub(1, 'a')] }))
    clients.push(...(await Promise.all(some)))
  }
  const plain = await Promise.all(Array.from({ length: 50 }, () => join(hub)))
  // Some will not answer the goodbye.
  for (const { ws } of clients.slice(0, 20)) ws.pause()
  const tookMs = await hub.ask('close')
  expect(tookMs).toBeLessThan(500 + 5_000)
  for (const { ws } of clients.slice(0, 20)) ws.resume()
  const ends = await Promise.all([...clients.slice(20), ...plain].map((client) => client.closed))
  expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([1001]))
  await Promise.all(clients.map((client) => client.closed))
  await expect(join(hub)).rejects.toThrow('ECONNREFUSED')
})

test('each client spreads its return over the time that the hub names [F134]', async () => {
  const hub = await startHub()
  const clients = await Promise.all(Array.from({ length: 5 }, () => greet(hub)))
  await hub.drain({ spreadMs: 30_000 })
  for (const client of clients) {
    await expect(client.closed).resolves.toEqual({ code: 1001, reason: 'going away' })
    expect(client.lines.at(-1)).toBe('bye {"code":1001,"spreadMs":30000}')
  }
})

const step = fc.constantFrom('connect', 'publish', 'emit', 'subscribe', 'drain', 'close', 'turn')

/** Calls one of them, and tells how it ended. */
function call(transport: WebSocketTransport, name: string): Promise<unknown> {
  const run = (): unknown => {
    if (name === 'connect') return transport.connect()
    if (name === 'publish') return transport.publish(createEvent('a', 1))
    if (name === 'emit') return transport.emit(createEvent('a', 1))
    if (name === 'subscribe') return transport.subscribe(['a'], { deliver: () => true }).live
    if (name === 'drain') return transport.drain({ timeoutMs: 500 })
    if (name === 'close') return transport.close()
    return new Promise((resolve) => setImmediate(resolve))
  }
  return (async () => await run())().then(
    () => 'done',
    (error: unknown) => error,
  )
}

test('whatever is called in whatever order around close, every call ends, the last state is closed and nothing is left [F136]', async () => {
  const hub = await startHub()
  const before = resources()
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 8 }),
      fc.array(step, { maxLength: 4 }),
      async (a, b) => {
        const transport = webSocketTransport({ url: hub.url })
        const calls: Promise<unknown>[] = []
        for (const name of [...a, 'close', ...b, 'close']) {
          calls.push(call(transport, name))
          if (name === 'turn') await calls.at(-1)
        }
        await Promise.all(calls)
        await transport.close()
        expect(transport.status.state).toBe('closed')
      },
    ),
    { numRuns: 60 },
  )
  await until(() => hub.stats().connections === 0, 'no connection is left')
  await leavesNothing(before)
})

test('closing a hub again, and while it closes, is the same [F136]', async () => {
  const hub = await startHub()
  const client = await greet(hub)
  const [first, second] = [hub.close(), hub.close()]
  expect(second).toBe(first)
  await Promise.all([first, hub.drain(), hub.close(), client.closed])
  await hub.close()
})
