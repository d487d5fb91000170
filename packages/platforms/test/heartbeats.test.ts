import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import {
  collect,
  frameOf,
  only,
  record,
  serve,
  transportTo,
  until,
} from '@bus/test-support/websocket'
import { describe, expect, test } from 'vitest'
import { binanceHeartbeat, deribitHeartbeat, genericHeartbeat } from '../src/index.ts'

const jsonOf = (message: { readonly data: unknown }): unknown => JSON.parse(String(message.data))

describe('heartbeats', () => {
  test('of Deribit: a test request is answered, a heartbeat is taken, and neither is an event', async () => {
    const server = await serve()
    const transport = transportTo(server, { applicationHeartbeat: deribitHeartbeat() })
    const notices = record(transport)
    const all = await collect(transport)
    server.inject({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'heartbeat' } })
    server.inject({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'test_request' } })
    await server.waitForMessage({ method: 'public/test' })
    server.inject(frameOf('a', '"heartbeat"'))
    await until(() => all.events.length === 1, 'an event that only mentions it')
    expect(server.received.map(jsonOf)).toEqual([
      { jsonrpc: '2.0', id: 'heartbeat-1', method: 'public/test', params: {} },
    ])
    expect(only(notices, 'undeliverable')).toEqual([])
  })

  test('of Deribit: its own answer to our answer is taken as well', async () => {
    const server = await serve()
    const transport = transportTo(server, { applicationHeartbeat: deribitHeartbeat() })
    const notices = record(transport)
    const all = await collect(transport)
    server.inject({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'test_request' } })
    const { json } = await server.waitForMessage({ method: 'public/test' })
    const { id } = json as { readonly id: string }
    server.inject({ jsonrpc: '2.0', id, result: { version: '1.2.26' } })
    server.inject(frameOf('a', 1))
    await until(() => all.events.length === 1, 'the event after it arrives')
    expect(only(notices, 'undeliverable')).toEqual([])
  })

  test('of Binance: a ping is answered with its own value', async () => {
    const server = await serve()
    const transport = transportTo(server, { applicationHeartbeat: binanceHeartbeat() })
    await transport.connect()
    server.inject({ ping: 17 })
    await server.waitForMessage({ pong: 17 })
  })

  test.each<[string, (text: string) => Uint8Array]>([
    ['as it is', (text) => Buffer.from(text)],
    ['gzip', (text) => gzipSync(text)],
    ['deflate', (text) => deflateSync(text)],
    ['raw deflate', (text) => deflateRawSync(text)],
  ])('in a binary frame, %s, are answered too, and what is none goes on', async (_, encode) => {
    const server = await serve()
    const transport = transportTo(server, { applicationHeartbeat: binanceHeartbeat() })
    const notices = record(transport)
    await transport.connect()
    server.inject(encode('{"ping":18}'))
    await server.waitForMessage({ pong: 18 })
    expect(only(notices, 'undeliverable')).toEqual([])
    server.inject(Uint8Array.of(1, 2, 3))
    await until(() => only(notices, 'undeliverable').length === 1, 'it is shown to the protocol')
  })

  test('in general: a message leaves at each interval, on every link, and its answer is no event', async () => {
    const server = await serve({
      handler: (_message, connection) => void connection.send({ type: 'pong' }),
    })
    const transport = transportTo(server, {
      applicationHeartbeat: genericHeartbeat({ intervalMs: 10 }),
    })
    const notices = record(transport)
    await transport.connect()
    await until(() => server.received.length >= 3, 'three ticks')
    server.faults.reset()
    const second = await server.waitForConnection({ index: 1 })
    await until(() => second.received.length >= 2, 'ticks on the new link')
    expect(jsonOf(second.received[0] ?? { data: '' })).toEqual({ type: 'ping' })
    expect(only(notices, 'undeliverable')).toEqual([])
  })
})
