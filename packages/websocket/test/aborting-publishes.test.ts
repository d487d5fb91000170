/** A publish whose signal aborts: before it, while it waits for room, in the queue, and when it was sent. */
import { getEventListeners } from 'node:events'
import { createEvent } from '@bus/core'
import { expect, test } from 'vitest'
import { busV1, type WebSocketTransport } from '../src/index.ts'
import { serve, transportTo, until } from './harness.ts'
import { startLiteralHub, type LiteralHub } from './literal-hub.ts'

interface Case {
  readonly transport: WebSocketTransport
  readonly abort: AbortController
  readonly outcome: Promise<unknown>
}

/** Publishes with a signal of its own. */
function publishing(transport: WebSocketTransport, payload: unknown = 'mine'): Case {
  const abort = new AbortController()
  const outcome = transport
    .publish(createEvent('a', payload, { id: 'mine' }), { signal: abort.signal })
    .catch((error: unknown) => error)
  return { transport, abort, outcome }
}

const listeners = ({ abort }: Case): number => getEventListeners(abort.signal, 'abort').length

/** A transport that has no link yet, and room for one event. */
async function withoutLink(): Promise<{
  readonly transport: WebSocketTransport
  readonly open: () => void
  readonly ids: () => unknown[]
}> {
  const server = await serve()
  server.faults.hangUpgrade()
  const transport = transportTo(server, { queue: { capacity: 1 }, timeouts: { connectMs: 50 } })
  const ids = (): unknown[] =>
    server.received.map(({ data }) => (JSON.parse(String(data)) as { id: string }).id)
  return { transport, open: () => server.faults.clear(), ids }
}

const end = { code: 'aborted', name: 'AbortError', cause: new Error('enough') }

test('before it begins it is refused, and nothing listens [F52]', async () => {
  const { transport } = await withoutLink()
  const abort = new AbortController()
  abort.abort(new Error('enough'))
  const publish = transport.publish(createEvent('a', 1), { signal: abort.signal })
  await expect(publish).rejects.toMatchObject({ ...end, outcome: 'not-sent' })
  expect(getEventListeners(abort.signal, 'abort')).toEqual([])
  expect(transport.backpressureStats()).toMatchObject({ size: 0, waiting: 0 })
})

test('while it waits for room its place goes to the next [F52]', async () => {
  const { transport, open, ids } = await withoutLink()
  const first = transport.publish(createEvent('a', 1, { id: 'first' }))
  const mine = publishing(transport)
  const next = transport.publish(createEvent('a', 3, { id: 'next' }))
  expect(transport.backpressureStats()).toMatchObject({ size: 1, waiting: 2 })
  mine.abort.abort(new Error('enough'))
  expect(await mine.outcome).toMatchObject({ ...end, outcome: 'not-sent' })
  expect(listeners(mine)).toBe(0)
  open()
  await Promise.all([first, next])
  await until(() => ids().length === 2, 'both arrive')
  expect(ids()).toEqual(['first', 'next'])
})

test('in the queue it is taken out again [F52]', async () => {
  const { transport, open, ids } = await withoutLink()
  const mine = publishing(transport)
  expect(transport.backpressureStats()).toMatchObject({ size: 1 })
  mine.abort.abort(new Error('enough'))
  expect(await mine.outcome).toMatchObject({ ...end, outcome: 'not-sent' })
  expect(listeners(mine)).toBe(0)
  expect(transport.backpressureStats()).toMatchObject({ size: 0, rejected: 1 })
  open()
  await transport.publish(createEvent('a', 2, { id: 'next' }))
  await until(() => ids().length > 0, 'the next arrives')
  expect(ids()).toEqual(['next'])
})

test('when it was sent it cannot be taken back, and its outcome is unknown [F52]', async () => {
  const hub: LiteralHub = await startLiteralHub({ answer: () => undefined })
  const mine = publishing(transportTo(hub, { protocol: busV1() }))
  await hub.hears('pub')
  mine.abort.abort(new Error('enough'))
  expect(await mine.outcome).toMatchObject({ ...end, outcome: 'unknown' })
  expect(listeners(mine)).toBe(0)
  // It leaves the queue when the hub has answered, as everything that was sent.
  expect(mine.transport.backpressureStats()).toMatchObject({ size: 1 })
  hub.say('ok 1')
  await until(() => mine.transport.backpressureStats().size === 0, 'it leaves')
})

test('when it is over an abort changes nothing, and nothing listens [F52]', async () => {
  const mine = publishing(transportTo(await startLiteralHub(), { protocol: busV1() }))
  expect(await mine.outcome).toMatchObject({ status: 'confirmed' })
  expect(listeners(mine)).toBe(0)
  mine.abort.abort()
  expect(await mine.outcome).toMatchObject({ status: 'confirmed' })
})
