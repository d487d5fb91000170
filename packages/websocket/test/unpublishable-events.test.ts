/** Events that no wire can carry, and events that change after they were published. */
import { createEvent } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { busV1, type WebSocketTransportOptions } from '../src/index.ts'
import { plainJson } from '../src/protocol/index.ts'
import { collect, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'

const WIRES: readonly [string, WebSocketTransportOptions['protocol']][] = [
  ['bus.v1', busV1()],
  ['the plain wire', plainJson()],
]

const circle: Record<string, unknown> = {}
circle['self'] = { circle }

/** JSON that is nested so deep. */
const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))

const throwing = {
  toJSON: () => {
    throw new Error('no')
  },
}

const BAD: readonly [what: string, payload: unknown][] = [
  ['a BigInt', 1n],
  ['a BigInt within', { a: [{ b: 1n }] }],
  ['a circle', circle],
  ['a circle in a list', [circle]],
  ['a toJSON that throws', throwing],
  ['a toJSON that throws within', { a: throwing }],
  ['a toJSON that gives nothing', { toJSON: () => undefined }],
  [
    'a getter that throws',
    Object.defineProperty({}, 'a', { enumerable: true, get: throwing.toJSON }),
  ],
  ['nothing', undefined],
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['a Map', new Map([['a', 1]])],
  ['a Set', new Set([1])],
  ['bytes', new Uint8Array(4)],
  ['a promise', Promise.resolve(1)],
  ['65 levels', nested(65)],
  ['ten thousand levels', nested(10_000)],
  ['a proxy that throws', new Proxy({}, { ownKeys: throwing.toJSON })],
]

describe.each(WIRES)('on %s', (_wire, protocol) => {
  const options = protocol === undefined ? {} : { protocol }

  test('twenty values that cannot be written reject their publish, and the link is not touched [F59]', async () => {
    const hub = await startHub()
    const transport = transportTo(hub, options)
    const reader = await collect(transportTo(hub, options), '>')
    await transport.connect()
    for (const [what, payload] of BAD) {
      const error: unknown = await transport
        .publish(createEvent('a', payload))
        .catch((thrown: unknown) => thrown)
      expect(error, what).toMatchObject({ code: 'serialization', outcome: 'not-sent' })
      expect(transport.emit(createEvent('a', payload)), what).toBe(false)
    }
    expect(BAD).toHaveLength(20)
    await transport.publish(createEvent('a', 'good'))
    await until(() => reader.events.length > 0, 'the good one')
    expect(reader.payloads).toEqual(['good'])
    expect(transport.stats()).toMatchObject({ reconnects: 0, sent: 1 })
  })

  test('what is changed after publish was called arrives as it was, wherever it waits [F58]', async () => {
    const hub = await startHub()
    const transport = transportTo(hub, { ...options, queue: { capacity: 1 } })
    const reader = await collect(transportTo(hub, options), '>')
    const payloads = Array.from({ length: 20 }, (_, n) => ({ n, list: [n], inner: { n } }))
    // Some wait in the queue and most for room in it.
    const published = payloads.map((payload) => transport.publish(createEvent('a', payload)))
    for (const payload of payloads) {
      payload.n = -1
      payload.list.push(-1)
      payload.inner.n = -1
    }
    await Promise.all(published)
    await until(() => reader.events.length === 20, 'all of them')
    expect(reader.payloads).toEqual(
      Array.from({ length: 20 }, (_, n) => ({ n, list: [n], inner: { n } })),
    )
  })

  test.each([
    ['the bytes of the queue', { queue: { maxBytes: 1_000 } }],
    ['the largest message', { maxMessageBytes: 1_000 }],
  ])('an event above %s is refused at once, and holds nobody up [F57]', async (_what, limits) => {
    const hub = await startHub()
    const transport = transportTo(hub, { ...options, ...limits })
    const large = createEvent('a', 'x'.repeat(2_000))
    // Also while there is no link.
    const early = transport.publish(large).catch((error: unknown) => error)
    expect(await early).toMatchObject({ code: 'too-large', limit: 1_000, outcome: 'not-sent' })
    await transport.publish(createEvent('a', 1))
    await expect(transport.publish(large)).rejects.toMatchObject({ code: 'too-large' })
    await transport.publish(createEvent('a', 2))
    expect(transport.backpressureStats()).toMatchObject({ sent: 2, size: 0, waiting: 0 })
  })
})
