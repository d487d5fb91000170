import { createBus, createEvent } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { frameHandlerProtocol, plainJson, type FrameHandler } from '../src/protocol/index.ts'
import { FakeClock } from './fake-clock.ts'
import { collect, only, record, serve, transportTo, until } from './harness.ts'

/** Lines that go on from frame to frame; `-` is of no interest, `!` is an error. */
const lines: FrameHandler<string> = {
  init: () => '',
  handle: (frame, rest) => {
    const text = String(frame)
    if (text === '-') return { skip: true }
    if (text === '!') throw new Error('not a line')
    const parts = (rest + text).split('\n')
    const state = parts.pop() ?? ''
    return { emit: parts.map((payload) => ({ type: 'line', payload })), state }
  },
}

async function linesOf(protocol = frameHandlerProtocol(lines)) {
  const server = await serve()
  const transport = transportTo(server, { protocol })
  return { server, transport, notices: record(transport), sink: await collect(transport, 'line') }
}

describe('a frame handler with a state', () => {
  test('makes many events of a frame, one of several frames, or none', async () => {
    const { server, sink } = await linesOf()
    for (const frame of ['a\nb\nc', 'd', '-', 'e\n', 'f\n']) server.inject(frame)
    await until(() => sink.events.length === 4, 'all lines')
    expect(sink.payloads).toEqual(['a', 'b', 'cde', 'f'])
  })

  test('that skips a frame emits nothing, and the frame still counts as a sign of life', async () => {
    const server = await serve()
    const clock = new FakeClock()
    const transport = transportTo(server, {
      protocol: frameHandlerProtocol(lines),
      heartbeat: false,
      idleTimeoutMs: 100,
      clock,
    })
    const notices = record(transport)
    const sink = await collect(transport)
    const silentMs = (): number | undefined => transport.metrics().heartbeat?.lastInboundAgeMs
    for (let n = 0; n < 3; n++) {
      clock.advance(60)
      server.inject('-')
      await until(() => silentMs() === 0, 'it is read')
    }
    expect([sink.events, only(notices, 'undeliverable')]).toEqual([[], []])
    expect(transport.status).toMatchObject({ state: 'ready', generation: 1 })
    clock.advance(100)
    await until(() => only(notices, 'heartbeat-timeout').length === 1, 'real silence')
  })

  test('begins with a new state on every connection', async () => {
    const { server, sink } = await linesOf()
    server.inject('left over')
    server.inject('\nagain left over')
    await until(() => sink.events.length === 1, 'the first')
    server.faults.reset()
    const connection = await server.waitForConnection({ index: 1 })
    connection.send('new\n')
    await until(() => sink.events.length === 2, 'the second')
    expect(sink.payloads).toEqual(['left over', 'new'])
  })

  test('that throws is reported, its frame is a dead letter, and the connection is made again', async () => {
    const { server, transport, notices, sink } = await linesOf()
    const bus = createBus({ transport })
    onTestFinished(() => bus.close())
    server.inject('a\nrest')
    server.inject('!')
    server.inject('lost\n')
    const connection = await server.waitForConnection({ index: 1 })
    connection.send('b\n')
    await until(() => sink.events.length === 2, 'it goes on')
    expect(sink.payloads).toEqual(['a', 'b'])
    await expect(server.connections[0]?.waitForClose()).resolves.toMatchObject({ code: 1002 })
    expect(only(notices, 'error')[0]).toMatchObject({
      kind: 'decode',
      error: { code: 'decode', cause: { message: 'not a line' } },
    })
    expect(bus.deadLetters?.list()).toMatchObject([{ reason: 'undecodable', raw: '!' }])
    expect(only(notices, 'open')).toMatchObject([{ reconnected: false }, { reconnected: true }])
  })

  test('that throws for every first frame uses up the attempts', async () => {
    const server = await serve({ onConnection: (connection) => void connection.send('!') })
    const transport = transportTo(server, {
      protocol: frameHandlerProtocol(lines),
      reconnect: { maxAttempts: 2 },
    })
    void transport.connect({ retry: true }).catch(() => {})
    await until(() => transport.status.state === 'closed', 'it gives up')
    expect(server.upgradeAttempts).toBe(3)
    expect(transport.status).toMatchObject({ cause: { code: 'attempts-exhausted' } })
  })

  test('whose init throws fails the attempt', async () => {
    let calls = 0
    const { transport } = await linesOf(
      frameHandlerProtocol({
        ...lines,
        init: () => {
          if (calls++ === 0) throw new Error('not yet')
          return ''
        },
      }),
    )
    expect(transport.status).toMatchObject({ state: 'ready', generation: 2 })
  })

  test('writes events as the protocol does that it stands before', async () => {
    const { server, transport } = await linesOf(
      frameHandlerProtocol(lines, { protocol: { ...plainJson(), encode: ({ id }) => `<${id}>` } }),
    )
    await transport.publish(createEvent('a', 1, { id: 'x' }))
    await expect(server.waitForMessage('<x>')).resolves.toBeDefined()
  })
})
