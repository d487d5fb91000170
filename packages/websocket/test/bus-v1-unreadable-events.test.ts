import { createBus } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1, type WebSocketTransport } from '../src/index.ts'
import { collect, only, record, transportTo, until } from './harness.ts'
import { ev, startLiteralHub, type LiteralHub } from './literal-hub.ts'

const client = (hub: LiteralHub): WebSocketTransport => transportTo(hub, { protocol: busV1() })

/** A hub that keeps its sessions, and says these lines behind the cursor of each welcome. */
async function replaying(
  lines: (link: number) => readonly string[],
  epoch: (link: number) => string = () => 'epoch-1',
): Promise<LiteralHub> {
  const hub = await startLiteralHub({
    welcome: ({ sid }, link) => {
      setImmediate(() => hub.say(...lines(link)))
      return { resumed: sid !== undefined, epoch: epoch(link) }
    },
  })
  return hub
}

describe('an event whose line cannot be read', () => {
  test('is requested again over a new link, and handled when it can be read then [F69]', async () => {
    const hub = await replaying((link) => [
      ev(1, 1),
      link < 2 ? 'ev 2 order.created' : ev(2, 2),
      ev(3, 3),
    ])
    const transport = client(hub)
    const notices = record(transport)
    const gaps: unknown[] = []
    transport.on('gap', (gap) => gaps.push(gap))
    const sink = await collect(transport, 'order.*')
    await until(() => sink.events.length === 3, 'all three events')
    expect(sink.payloads).toEqual([1, 2, 3])
    expect(hub.hellos).toHaveLength(3)
    expect(only(notices, 'undeliverable')).toHaveLength(2)
    expect(gaps).toEqual([])
  })

  test.each([
    ['has no id and no body', 'ev 2 order.created'],
    ['has a type that is none', 'ev 2 order..created id {"payload":2,"metadata":{"timestamp":1}}'],
    ['has an id with a control character', 'rv 2 order.created \u0007 {}'],
    ['ends behind the id', 'ev 2 order.created id-2 '],
  ])(
    'and %s every time is given up with the third, named as a gap before what follows [F69]',
    async (_what, bad) => {
      const hub = await replaying(() => [ev(1, 1), bad, ev(3, 3)])
      const transport = client(hub)
      const notices = record(transport)
      const bus = createBus({ transport })
      onTestFinished(() => bus.close())
      const told: unknown[] = []
      bus.on('gap', (gap) => void told.push(gap))
      await bus.subscribe('order.*', ({ payload }) => void told.push(payload))
      await until(() => told.length === 3, 'the event behind it')
      const gap = { from: 2, to: 2, reason: 'undecodable', patterns: ['order.*'] }
      expect(told).toEqual([1, gap, 3])
      expect(hub.hellos).toHaveLength(3)
      expect(
        only(notices, 'undeliverable')
          .map(({ reason, raw }) => [reason, raw])
          .at(-1),
      ).toEqual(['undecodable', bad])
      expect(transport.status.state).toBe('ready')
      await until(() => hub.heard('ack').includes('3'), 'all is acknowledged')
    },
  )

  test('and was given up does not stand in the way of the next link either [F69]', async () => {
    const bad = 'ev 2 order.created'
    const hub = await replaying(() => [ev(1, 1), bad, ev(3, 3), ev(4, 4)])
    const transport = client(hub)
    const gaps: unknown[] = []
    transport.on('gap', (gap) => gaps.push(gap))
    const sink = await collect(transport, 'order.*')
    await until(() => sink.events.length === 3, 'the events around it')
    hub.server.faults.reset()
    await hub.welcomed(4)
    hub.say(ev(5, 5))
    await until(() => sink.events.length === 4, 'the next event')
    expect(sink.payloads).toEqual([1, 3, 4, 5])
    expect(gaps).toHaveLength(1)
    expect(hub.hellos).toHaveLength(4)
  })

  test('is counted anew in another log, whose offsets mean something else [F69]', async () => {
    const bad = 'ev 2 order.created'
    const hub = await replaying(
      (link) => (link < 4 ? [bad] : [ev(2, 'good')]),
      (link) => `epoch-${Math.floor(link / 2)}`,
    )
    const transport = client(hub)
    const gaps: string[] = []
    transport.on('gap', ({ reason }) => gaps.push(reason))
    const sink = await collect(transport, 'order.*')
    await until(() => sink.payloads.includes('good'), 'it comes readable')
    expect(gaps).toEqual([])
  })
})
