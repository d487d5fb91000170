import { createBus, createEvent, type Bus, type Event } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { collect, frameOf, only, record, serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, pub, sub } from './wire-client.ts'

const levels = (count: number): string => Array.from({ length: count }, () => 'a').join('.')

/** Text that is no type: control characters, directions, surrogates, wildcards, other brokers' words, sizes. */
const NO_TYPES: readonly string[] = [
  '',
  ' ',
  '.',
  'a.',
  '.a',
  'a..b',
  'a b',
  'a\tb',
  'a\rb',
  'a\u0000b',
  'a\u0007',
  'a\u001B[31m',
  'a\u007F',
  'a\u0085b',
  'a\u00A0b',
  'a\u200Bb',
  'a\u202Eb',
  'a\u2066b',
  'a\u2028b',
  'a\uFEFF',
  'a\uD800',
  '\uDC00a',
  'ä',
  'а',
  '日本',
  '🙂',
  'a*',
  '*',
  'a.*',
  '>',
  'a.>',
  '$JS.API.INFO',
  '$SYS',
  '_INBOX.>',
  'a/b',
  'a#',
  'a:b',
  'a;b',
  'a,b',
  'a"b',
  "a'b",
  'a\\b',
  'a{b}',
  '<a>',
  'a%2eb',
  'a'.repeat(256),
  levels(17),
  levels(100_000),
]

/** The event as it would be if nothing had looked at its type. */
const forged = (type: string, id = 'id'): Event => ({ ...createEvent('a', 1), type, id })

function busTo(hub: { readonly url: string }): Bus {
  const bus = createBus({ transport: transportTo(hub, { protocol: busV1() }) })
  onTestFinished(() => bus.close())
  return bus
}

describe('a type outside the grammar', () => {
  test.each(NO_TYPES)('%j is not published, and leaves the link alone [F75, F76]', async (type) => {
    const hub = await startHub()
    const bus = busTo(hub)
    await bus.connect()
    await expect(bus.publish(type, 1)).rejects.toMatchObject({ code: 'config' })
    await expect(bus.publish(forged(type))).rejects.toMatchObject({ code: 'config' })
    await expect(bus.publish('a', 1)).resolves.toMatchObject({ status: 'confirmed' })
    expect(hub.stats().busV1).toMatchObject({ published: 1, protocolErrors: 0 })
  })

  test('is refused by the hub by the number of its event, or ends the link where it holds a space or a line [F75, F76]', async () => {
    const hub = await startHub()
    const reader = await greet(hub, { subs: [sub(1, '>')] })
    const types = NO_TYPES.filter((type) => type !== '' && !/[ \n]/.test(type))
    const publisher = await greet(hub)
    types.forEach((type, i) => publisher.say(pub(i + 1, 'bad', type)))
    publisher.say(pub(types.length + 1, 'good'))
    await publisher.line(`ok ${types.length + 1}`)
    expect(publisher.heard('no')).toEqual(types.map((_, i) => `${i + 1} type`))
    await reader.events(1)
    expect(reader.payloads).toEqual(['good'])
  })

  test('reaches no handler from a server of plain events [F75, F76]', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const notices = record(transport)
    const sink = await collect(transport)
    for (const type of NO_TYPES) server.inject(frameOf(type, 'bad', 'id'))
    server.inject(frameOf('a', 'good', 'id'))
    await until(() => sink.events.length > 0, 'the good one')
    expect(sink.payloads).toEqual(['good'])
    expect(only(notices, 'undeliverable')).toHaveLength(NO_TYPES.length)
  })

  test('is no pattern either, apart from wildcards: nothing of it reaches the matcher [F75, F76]', async () => {
    const hub = await startHub()
    const transport = transportTo(hub, { protocol: busV1() })
    await transport.connect()
    const wild = new Set(['*', 'a.*', '>', 'a.>', '_INBOX.>'])
    for (const pattern of NO_TYPES.filter((type) => !wild.has(type))) {
      const sink = { deliver: () => true }
      expect(() => transport.subscribe([pattern], sink)).toThrow(
        expect.objectContaining({ code: 'config' }),
      )
      const client = await greet(hub)
      client.say(`sub 1 ${pattern} alo`)
      expect((await client.closed).code).toBe(4400)
    }
    expect(hub.stats().busV1.subscriptions).toBe(0)
  })
})

test.each(['a b', 'a\nb', 'a\u0000', 'a\u001B[2J', 'a\u202Eb', 'ä', '', 'a'.repeat(129)])(
  'the id %j is refused by our client, and ends the link of another one [F75]',
  async (id) => {
    const hub = await startHub()
    const bus = busTo(hub)
    await bus.connect()
    await expect(bus.publish(forged('a', id))).rejects.toMatchObject({ code: 'config' })
    const client = await greet(hub)
    client.say(`pub 1 a ${id} {"payload":1,"metadata":{"timestamp":1}}`)
    expect(await client.closed).toMatchObject({ code: 4400 })
    expect(hub.stats().busV1.published).toBe(0)
  },
)

test('the longest and the deepest type of the grammar travel [F75]', async () => {
  const hub = await startHub()
  const transport = transportTo(hub, { protocol: busV1() })
  const sink = await collect(transport)
  const types = ['a'.repeat(255), levels(16), 'A-Z_a-z.0-9']
  for (const type of types) await transport.publish(createEvent(type, 1))
  await until(() => sink.events.length === types.length, 'all arrive')
  expect(sink.events.map(({ type }) => type)).toEqual(types)
})
