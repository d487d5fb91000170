import { bytesCodec, createEvent, jsonCodec, textCodec, type Undeliverable } from '@bus/core'
import { array, assert, asyncProperty, oneof, string, uint8Array } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainJson } from '../src/protocol/index.ts'
import { collect, frameOf, only, record, serve, transportTo, until } from './harness.ts'

const at = '2026-01-02T03:04:05.000Z'

describe('what comes over the wire', () => {
  test('is an event with id, type, payload and metadata, in both documented shapes, unknown members ignored', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const all = await collect(transport)
    server.inject({
      id: '1',
      event_type: 'a.b',
      payload: { n: 1 },
      metadata: { timestamp: at, source: 's' },
    })
    server.inject({
      payload: 2,
      metadata: { id: '2', event_type: 'a.c', timestamp: at, correlation_id: 'c' },
      extra: true,
    })
    await until(() => all.events.length === 2, 'both arrive')
    const timestamp = Date.parse(at)
    expect(all.events).toEqual([
      { id: '1', type: 'a.b', payload: { n: 1 }, metadata: { timestamp, source: 's' } },
      { id: '2', type: 'a.c', payload: 2, metadata: { timestamp, correlationId: 'c' } },
    ])
  })

  test('is read from binary frames as well as from text', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const all = await collect(transport)
    server.inject(frameOf('a', 'tëxt'))
    server.inject(Buffer.from(frameOf('b', 'bÿtes')))
    await until(() => all.events.length === 2, 'both arrive')
    expect(all.payloads).toEqual(['tëxt', 'bÿtes'])
  })

  test('counts as received whether or not a subscription matches', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const wanted = await collect(transport, 'b')
    for (let n = 0; n < 5; n++) server.inject(frameOf('a', n))
    server.inject(frameOf('b', 1))
    await until(() => wanted.events.length === 1, 'the last arrives')
    expect(transport.stats().received).toBe(6)
  })
})

describe('a codec', () => {
  test('json may write binary frames', async () => {
    const server = await serve()
    const protocol = plainJson({ codec: jsonCodec({ frame: 'binary' }) })
    const transport = transportTo(server, { protocol })
    await transport.publish(createEvent('a', 1, { id: 'x' }))
    await until(() => server.received.length === 1, 'it arrives')
    const data = server.received[0]?.data
    if (!(data instanceof Uint8Array)) throw new Error('a binary frame was expected')
    expect(JSON.parse(Buffer.from(data).toString())).toMatchObject({ id: 'x', payload: 1 })
  })

  test('text carries text, also none, and refuses what is not, and the link stays up', async () => {
    const server = await serve({ handler: 'echo' })
    const protocol = plainJson({ codec: textCodec({ type: 'line' }) })
    const transport = transportTo(server, { protocol })
    const lines = await collect(transport, 'line')
    const texts = ['', 'plain', 'ünïcödé 🚌', '{"json":1}']
    for (const text of texts) await transport.publish(createEvent('line', text))
    for (const bad of [1, null, '\ud800', new Uint8Array(1)]) {
      await expect(transport.publish(createEvent('line', bad))).rejects.toMatchObject({
        code: 'serialization',
        outcome: 'not-sent',
      })
    }
    await until(() => lines.events.length === texts.length, 'all come back')
    expect(lines.payloads).toEqual(texts)
    expect(transport.capabilities.binary).toBe(false)
  })

  test('bytes carries bytes, also none, unchanged', async () => {
    const server = await serve({ handler: 'echo' })
    const transport = transportTo(server, { protocol: plainJson({ codec: bytesCodec() }) })
    const [all, other] = [await collect(transport), await collect(transport)]
    const sent = [new Uint8Array(), Uint8Array.from({ length: 256 }, (_, n) => n)]
    for (const bytes of sent) await transport.publish(createEvent('message', bytes))
    await until(() => all.events.length === 2, 'both come back')
    expect(all.payloads).toEqual(sent)
    expect(other.payloads).toEqual(sent)
    // Not views of a larger buffer, and not the same for both.
    const [mine, theirs] = [all.payloads[1] as Uint8Array, other.payloads[1] as Uint8Array]
    expect(mine.buffer.byteLength).toBe(256)
    expect(theirs.buffer).not.toBe(mine.buffer)
    expect(transport.capabilities.binary).toBe(true)
  })

  test.each([
    ['codec', { codec: {} }],
    ['subprotocols[0]', { subprotocols: [''] }],
    ['codecs', { codecs: jsonCodec() }],
  ])('a wrong %s is refused by name', (path, options) => {
    expect(() => plainJson(options as object)).toThrow(
      expect.objectContaining({ code: 'config', path }),
    )
  })

  test('subprotocols of the protocol are offered, and the one that was agreed on is reported', async () => {
    const server = await serve({ subprotocols: ['v1', 'v2'] })
    const transport = transportTo(server, { protocol: plainJson({ subprotocols: ['v2', 'v1'] }) })
    const notices = record(transport)
    await transport.connect()
    expect(server.connections[0]?.request.subprotocols).toEqual(['v2', 'v1'])
    expect(only(notices, 'open')).toMatchObject([{ protocol: server.connections[0]?.subprotocol }])
  })
})

const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe('a frame that means nothing', () => {
  test.each<[what: string, frame: string | Uint8Array]>([
    ['is no JSON', '{"id":'],
    ['is empty', ''],
    ['is JSON of another shape', '[1,2]'],
    ['has no type', '{"id":"1","payload":1}'],
    ['has a type that is none', '{"id":"1","event_type":"a b","payload":1}'],
    ['has no payload', '{"id":"1","event_type":"a"}'],
    ['is binary and not UTF-8', Uint8Array.from([0xc3, 0x28])],
    ['is nested ten thousand deep', `{"id":"1","event_type":"a","payload":${deep(10_000)}}`],
    ['is nested half a million deep', `{"id":"1","event_type":"a","payload":${deep(250_000)}}`],
  ])(
    'because it %s is reported with its bytes, the reader lives on and the next is delivered [F69, F70]',
    async (_what, frame) => {
      const server = await serve()
      const transport = transportTo(server)
      const all = await collect(transport)
      const notices = record(transport)
      server.inject(frame)
      server.inject(frameOf('a', 'next'))
      await until(() => all.events.length === 1, 'the next arrives')
      expect(only(notices, 'error')).toMatchObject([{ kind: 'decode', error: { code: 'decode' } }])
      const [letter] = only(notices, 'undeliverable')
      expect(letter).toMatchObject({ reason: 'undecodable', direction: 'inbound' })
      expect(Buffer.from(letter?.raw ?? 'none').equals(Buffer.from(frame))).toBe(true)
      expect(server.connections).toHaveLength(1)
    },
  )

  test('is kept without the larger buffer that it was cut from', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const letters: Undeliverable[] = []
    transport.on('undeliverable', (letter) => letters.push(letter))
    await transport.connect()
    for (let n = 0; n < 100; n++) server.inject(Uint8Array.of(n))
    await until(() => letters.length === 100, 'all are reported')
    const kept = letters.map(({ raw }) => (raw instanceof Uint8Array ? raw.buffer.byteLength : -1))
    expect(new Set(kept)).toEqual(new Set([1]))
  })

  test('never ends the reader, whatever it is', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const marks = await collect(transport, 'mark')
    let reported = 0
    transport.on('undeliverable', () => reported++)
    const frames = array(oneof(string(), uint8Array()), { maxLength: 20 })
    let runs = 0
    await assert(
      asyncProperty(frames, async (garbage) => {
        const before = reported
        for (const frame of garbage) server.inject(frame)
        server.inject(frameOf('mark', ++runs))
        await until(() => marks.payloads.at(-1) === runs, 'the mark arrives')
        expect(reported - before).toBe(garbage.length)
      }),
      { numRuns: 50 },
    )
    expect(server.connections).toHaveLength(1)
  })

  test('does not end the reader either when a listener to it throws', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const all = await collect(transport)
    transport.on('undeliverable', () => {
      throw new Error('listener')
    })
    server.inject('nonsense')
    server.inject(frameOf('a', 1))
    await until(() => all.events.length === 1, 'the next arrives')
  })
})

describe('an event that cannot be written', () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const throws = {
    toJSON: () => {
      throw new Error('no')
    },
  }
  test.each<[what: string, payload: unknown]>([
    ['a BigInt', 1n],
    ['a BigInt within', { a: [1n] }],
    ['a circle', circle],
    ['a toJSON that throws', throws],
    ['a toJSON that throws within', { throws }],
    ['a toJSON that returns nothing', { toJSON: () => undefined }],
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['NaN', Number.NaN],
    ['Infinity', Infinity],
    ['a Map', new Map()],
    ['a Set', new Set()],
    ['bytes', new Uint8Array(1)],
    ['a promise', Promise.resolve(1)],
    ['nesting above the limit', JSON.parse(deep(64))],
    ['nesting ten thousand deep', JSON.parse(deep(10_000))],
  ])(
    'because of %s is rejected as not sent, and the link is not touched [F59]',
    async (_what, payload) => {
      const server = await serve()
      const transport = transportTo(server)
      await transport.connect()
      const rejected = transport.publish(createEvent('a', payload))
      await expect(rejected).rejects.toMatchObject({ code: 'serialization', outcome: 'not-sent' })
      await transport.publish(createEvent('a', 'good'))
      await server.waitForMessage({ payload: 'good' })
      expect(server.received).toHaveLength(1)
      expect(transport.backpressureStats()).toMatchObject({ received: 1, sent: 1 })
    },
  )

  test('is sent up to the limit of nesting', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.publish(createEvent('a', JSON.parse(deep(62))))
    await until(() => server.received.length === 1, 'it arrives')
  })
})

test('a message above maxMessageBytes from the server ends the link, which is made again', async () => {
  const server = await serve()
  const transport = transportTo(server, { maxMessageBytes: 1_000 })
  const all = await collect(transport)
  server.inject(frameOf('a', 'x'.repeat(2_000)))
  await server.waitForConnection({ index: 1 })
  await until(() => transport.status.state === 'ready', 'ready again')
  expect(server.connections[0]?.closed?.code).toBe(1009)
  server.inject(frameOf('a', 'small'))
  await until(() => all.events.length === 1, 'the next arrives')
})

const frame = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)

test.each<[what: string, bytes: Uint8Array, code: number]>([
  ['an unknown opcode', frame(0x83, 0), 1002],
  ['reserved bits', frame(0xc1, 0), 1002],
  ['a mask, which no server sets', frame(0x81, 0x80, 0, 0, 0, 0), 1002],
  ['a continuation of nothing', frame(0x80, 0), 1002],
  ['a ping in fragments', frame(0x09, 0), 1002],
  ['text that is not UTF-8', frame(0x81, 2, 0xc3, 0x28), 1007],
  ['a close code that must not be sent', frame(0x88, 2, 3, 237), 1002],
  ['a length above the limit', frame(0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0), 1009],
  ['a length that no number holds', frame(0x82, 127, 255, 0, 0, 0, 0, 0, 0, 0), 1009],
  [
    'fragments without end',
    Uint8Array.from({ length: 3 * 17_000 }, (_, i) => [i === 0 ? 1 : 0, 1, 0x78][i % 3] ?? 0),
    1008,
  ],
])(
  'a server that sends %s loses the link, not the process, and is connected to again [F61, F65, F67]',
  async (_what, bytes, code) => {
    const server = await serve()
    const transport = transportTo(server)
    const all = await collect(transport)
    server.faults.sendRaw(bytes)
    await server.waitForConnection({ index: 1 })
    await until(() => transport.status.state === 'ready', 'ready again')
    expect(server.connections[0]?.closed?.code).toBe(code)
    server.inject(frameOf('a', 1))
    await until(() => all.events.length === 1, 'the next arrives')
  },
)

test('takes a message in many fragments, as many as its bytes could be [F65]', async () => {
  const server = await serve()
  const transport = transportTo(server)
  const all = await collect(transport)
  const text = Buffer.from(frameOf('a', 'x'.repeat(10_000)))
  const fragments = Array.from(text, (byte, i) => {
    const isLast = i === text.length - 1
    return [(isLast ? 0x80 : 0) | (i === 0 ? 1 : 0), 1, byte]
  })
  server.faults.sendRaw(Uint8Array.from(fragments.flat()))
  await until(() => all.events.length === 1, 'it arrives')
  expect(server.connections).toHaveLength(1)
})

test('takes a message that comes one byte at a time [F66]', async () => {
  const server = await serve()
  const transport = transportTo(server)
  const all = await collect(transport)
  const text = frameOf('a', 'x'.repeat(3_000))
  const header = Uint8Array.of(0x81, 126, text.length >> 8, text.length & 255)
  for (const byte of Buffer.concat([header, Buffer.from(text)])) {
    server.faults.sendRaw(Uint8Array.of(byte))
    // One turn for each, or the system would put them together again.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => all.events.length === 1, 'it arrives')
})

test('offers no compression unless it is configured [F64]', async () => {
  const server = await serve({ perMessageDeflate: true })
  await transportTo(server).connect()
  await transportTo(server, { compression: true }).connect()
  const offers = server.upgrades.map(({ headers }) => headers['sec-websocket-extensions'])
  expect(offers[0]).toBeUndefined()
  expect(offers[1]).toMatch(/^permessage-deflate/)
})
