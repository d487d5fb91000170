import { createBus, type Bus, type Gap } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1, type WebSocketTransport } from '../src/index.ts'
import { transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { startLiteralHub } from './literal-hub.ts'
import { greet, pub, pubs, sub, type WireClient } from './wire-client.ts'

const MAX = 2_000

interface Small {
  readonly bus: Bus
  readonly transport: WebSocketTransport
  /** Payloads and gaps, in the order in which the application hears of them. */
  readonly heard: unknown[]
}

/** A subscriber that takes small messages only. */
async function smallSubscriber(hub: { readonly url: string }, pattern: string): Promise<Small> {
  const transport = transportTo(hub, { protocol: busV1(), maxMessageBytes: MAX })
  const bus = createBus({ transport })
  onTestFinished(() => bus.close())
  const heard: unknown[] = []
  bus.on('gap', ({ from, to, reason }: Gap) => void heard.push({ from, to, reason }))
  await bus.subscribe(pattern, ({ payload }) => void heard.push(payload))
  return { bus, transport, heard }
}

describe('an event that is larger than what a subscriber takes', () => {
  test('is reported as a gap, and later events arrive on the same link', async () => {
    const hub = await startHub({ confirm: 'subscribers', graceMs: 0 })
    const { transport, heard } = await smallSubscriber(hub, 'order.*')
    const publisher = await greet(hub)
    publisher.say(pub(1, 1), pub(2, 'x'.repeat(MAX)), pub(3, 3))
    await until(() => heard.length === 3, 'what came before and behind it')
    expect(heard).toEqual([1, { from: 2, to: 2, reason: 'size' }, 3])
    // Confirmed: the cursor has moved on beyond it.
    await publisher.line('ok 3')
    expect(transport.stats().reconnects).toBe(0)
    expect(hub.stats().busV1).toMatchObject({ gaps: 1, protocolErrors: 0, givenUp: 0 })
  })

  test('moves the cursor also where nothing comes behind it', async () => {
    const hub = await startHub({ confirm: 'subscribers', graceMs: 0 })
    const { heard } = await smallSubscriber(hub, '>')
    const publisher = await greet(hub)
    publisher.say(pub(1, 'x'.repeat(MAX)))
    await publisher.line('ok 1')
    expect(heard).toEqual([{ from: 1, to: 1, reason: 'size' }])
  })

  test('reaches those that take it', async () => {
    const hub = await startHub()
    const { heard } = await smallSubscriber(hub, '>')
    const other = await greet(hub, { subs: [sub(1, '>')] })
    const publisher = await greet(hub)
    publisher.say(pub(1, 'x'.repeat(MAX)), pub(2, 2))
    await until(() => heard.length === 2, 'the gap and the next event')
    await other.events(2)
    expect(other.offsets).toEqual([1, 2])
    expect(other.heard('gap')).toEqual([])
  })

  test('and matches no subscription is no gap', async () => {
    const hub = await startHub()
    const { heard } = await smallSubscriber(hub, 'user.*')
    const publisher = await greet(hub)
    publisher.say(pub(1, 'x'.repeat(MAX)), pub(2, 2, 'user.created'))
    await until(() => heard.length === 1, 'the other event')
    expect(heard).toEqual([2])
  })
})

describe('the messages of the hub', () => {
  const sizes = ({ ws }: WireClient): number[] => {
    const all: number[] = []
    ws.on('message', (data: Buffer) => all.push(data.length))
    return all
  }

  test('stay within what the subscriber takes, and a run of large events is one gap', async () => {
    const hub = await startHub()
    const client = await greet(hub, { subs: [sub(1, 'order.*')], maxMessageBytes: 300 })
    const bytes = sizes(client)
    const publisher = await greet(hub)
    const [first = ''] = pubs(1, 1)
    // One letter less for the verb and the number, two more for the quotes.
    const exact = pub(2, 'x'.repeat(300 - first.length))
    publisher.say(
      ...pubs(1, 1),
      exact,
      pub(3, 'x'.repeat(300)),
      pub(4, 4, 'user.created'),
      pub(5, 'x'.repeat(300)),
      ...pubs(6, 30),
    )
    await client.events(27)
    expect(client.heard('gap')).toEqual(['3 5 size'])
    expect(client.offsets).toEqual([1, 2, ...Array.from({ length: 25 }, (_, i) => i + 6)])
    expect(Math.max(...bytes)).toBeLessThanOrEqual(300)
    expect(client.messages).toBeGreaterThan(8)
    client.say('ack 30')
    await client.settled()
    expect(client.ws.readyState).toBe(client.ws.OPEN)
  })

  test('stay within it also where they answer', async () => {
    const hub = await startHub()
    const first = await greet(hub, { maxMessageBytes: 500 })
    const { sid, epoch } = first.welcome
    const bytes = sizes(first)
    const bad = Array.from({ length: 200 }, (_, i) => pub(i + 1, 1, 'a..b'))
    first.say(...bad)
    await first.line('ok 200')
    expect(first.heard('no')).toHaveLength(200)
    expect(Math.max(...bytes)).toBeLessThanOrEqual(500)
    first.ws.terminate()
    const second = await greet(hub, { sid, epoch, maxMessageBytes: 500 })
    const [welcome = ''] = second.lines
    expect(welcome.length).toBeLessThanOrEqual(500)
    const { last, refused, resumed } = second.welcome
    expect([resumed, last]).toEqual([true, refused.length])
    // The client sends again what it was told nothing of.
    second.say(...bad.slice(last))
    await second.line('ok 200')
    expect(second.heard('no')).toHaveLength(200 - last)
    expect(refused.length).toBeGreaterThan(3)
  })
})

test('maxMessageBytes: the client says to the hub what it takes', async () => {
  const hub = await startLiteralHub()
  await transportTo(hub, { protocol: busV1(), maxMessageBytes: 12_345 }).connect()
  expect(hub.hellos[0]).toMatchObject({ maxMessageBytes: 12_345 })
})
