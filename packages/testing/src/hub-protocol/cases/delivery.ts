/** Cases about delivery: which events arrive, in which order, and with which bytes. */
import assert from 'node:assert/strict'
import type { HubCase, HubCaseGroup } from '../hub-case.ts'
import type { WireClient } from '../wire-client.ts'
import { bodyOf, payloadOf, pubLine, pubLines, subOf, type ReceivedEvent } from '../lines.ts'

/** Bodies that are another text when they are parsed and written again. */
const BODIES = [
  '{"payload":{"b":1,"a":1.0,"a":2},"metadata":{"timestamp":1777887000000}}',
  '{ "payload" : [ 1 ,\t2 ] , "metadata" : { "timestamp" : 1e3 } }',
  '{"payload":"\\u00e9 é \\/ 😀 \u2028","metadata":{"timestamp":1}}',
  '{"metadata":{"timestamp":1},"payload":null,"more":12345678901234567890}',
  '{"payload":"a b  c","metadata":{"timestamp":1}}',
  '{this is no JSON, which concerns only the subscriber}',
  '{}',
]

const sameBytes: HubCase = {
  id: 'W50',
  level: 'MUST',
  title: 'passes type, id and body on byte for byte, whatever the body is',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const publisher = await world.openSession()
    BODIES.forEach((body, i) => publisher.send(`pub ${i + 1} ${type} !id~${i} ${body}`))
    await reader.count(BODIES.length)
    assert.deepEqual(
      reader.events.map(({ body }) => body),
      BODIES,
    )
    assert.deepEqual(
      reader.events.map((event) => [event.type, event.id]),
      BODIES.map((_, i) => [type, `!id~${i}`]),
    )
  },
}

const COUNT = 300

const inOrder: HubCase = {
  id: 'W51',
  level: 'MUST',
  title: 'delivers every event of a publisher once and in its order, with offsets that rise',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const publisher = await world.openSession()
    for (let from = 1; from <= COUNT; from += 30) publisher.send(...pubLines(from, from + 29, type))
    await reader.payload(COUNT)
    const expected = Array.from({ length: COUNT }, (_, i) => i + 1)
    assert.deepEqual(reader.payloads, expected)
    expectRising(reader.offsets)
    reader.expectTextOnly()
  },
}

const oneOrderForAll: HubCase = {
  id: 'W52',
  level: 'MUST',
  title: 'shows every subscriber the same events with the same offsets, bytes and order',
  async run(world) {
    const [one, other] = [await world.reader(world.type('>')), await world.reader(world.type('>'))]
    const publishers = await Promise.all([
      world.openSession(),
      world.openSession(),
      world.openSession(),
    ])
    for (let n = 1; n <= 40; n++) {
      publishers.forEach((publisher, i) => publisher.send(pubLine(n, world.type(`p${i}`), n)))
    }
    await Promise.all([one.count(120), other.count(120)])
    assert.deepEqual(one.events, other.events)
    expectRising(one.offsets)
    for (const i of [0, 1, 2]) {
      const own = one.events.filter(({ type }) => type === world.type(`p${i}`)).map(payloadOf)
      assert.deepEqual(
        own,
        Array.from({ length: 40 }, (_, n) => n + 1),
      )
    }
  },
}

const onceForAll: HubCase = {
  id: 'W53',
  level: 'MUST',
  title: 'delivers an event once, however many subscriptions of a client match',
  async run(world) {
    const type = world.type('a')
    const subs = [subOf(1, type), subOf(2, world.type('*')), subOf(3, world.type('>'), 'amo')]
    const reader = await world.openSession({ subs })
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, 10, type))
    await reader.payload(10)
    await reader.settled()
    assert.deepEqual(reader.payloads, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    reader.send(`ack ${reader.offsets.at(-1)}`)
  },
}

const NAMES = ['a', 'b', 'a.b', 'a.b.c', 'A']

const MATCHES: readonly (readonly [pattern: string, names: readonly string[]])[] = [
  ['a', ['a']],
  ['*', ['a', 'b', 'A']],
  ['a.*', ['a.b']],
  ['a.>', ['a.b', 'a.b.c']],
  ['*.b', ['a.b']],
  ['*.b.*', ['a.b.c']],
  ['>', NAMES],
]

const patterns: HubCase = {
  id: 'W54',
  level: 'MUST',
  title: 'matches * with one token, > with one or more, and letters by their case',
  async run(world) {
    const publisher = await world.openSession()
    const readers: WireClient[] = []
    for (const [pattern] of MATCHES) readers.push(await world.reader(world.type(pattern)))
    const end = await world.reader(world.type('>'))
    NAMES.forEach((name, i) => publisher.send(pubLine(i + 1, world.type(name), name)))
    await end.payload('A')
    for (const [i, [pattern, expected]] of MATCHES.entries()) {
      const reader = readers[i]
      await reader?.count(expected.length)
      await reader?.settled()
      assert.deepEqual(reader?.payloads, expected, `of the pattern ${pattern}`)
    }
  },
}

const ownEvents: HubCase = {
  id: 'W55',
  level: 'MUST',
  title: 'delivers to a publisher its own events where it has subscribed',
  async run(world) {
    const type = world.type('a')
    const both = await world.reader(type)
    both.send(pubLine(1, type, 'mine'))
    await both.payload('mine')
    await both.ok(1)
  },
}

const atMostOnceMode: HubCase = {
  id: 'W56',
  level: 'MUST',
  title: 'delivers to an at-most-once subscription too, with and without a number',
  async run(world) {
    const type = world.type('a')
    const reader = await world.openSession({ subs: [subOf(1, type, 'amo')] })
    const publisher = await world.openSession()
    publisher.send(pubLine('-', type, 'a'), pubLine(1, type, 1), pubLine('-', type, 'b'))
    await reader.count(3)
    assert.deepEqual(reader.payloads, ['a', 1, 'b'])
  },
}

const manyInOneMessage: HubCase = {
  id: 'W57',
  level: 'MUST',
  title: 'takes as many lines in one message as fit into maxLineBytes',
  async run(world) {
    const type = world.type('a')
    const publisher = await world.openSession()
    const { maxLineBytes, window } = publisher.welcome.limits
    const perLine = pubLine(1_000, type, 1_000).length + 1
    const count = Math.min(1_000, window.events, Math.floor(maxLineBytes / perLine))
    const reader = await world.reader(type)
    publisher.send(...pubLines(1, count, type))
    await publisher.ok(count)
    await reader.count(count)
    assert.equal(reader.payloads.length, count)
  },
}

const extremes: HubCase = {
  id: 'W58',
  level: 'MUST',
  title: 'takes types of 16 tokens and of 255 bytes, and ids of 128 characters',
  async run(world) {
    const reader = await world.reader(world.type('>'))
    const publisher = await world.openSession()
    const deep = world.type(Array.from({ length: 15 }, () => 'x').join('.'))
    const long = world.type('').padEnd(255, 'y')
    publisher.send(`pub 1 ${deep} ${'i'.repeat(128)} ${bodyOf(1)}`, `pub 2 ${long} ! ${bodyOf(2)}`)
    publisher.send(pubLine(3, `${deep}.x`, 3), pubLine(4, `${long}y`, 4), pubLine(5, deep, 5))
    await publisher.ok(5)
    await reader.payload(5)
    assert.deepEqual(reader.payloads, [1, 2, 5])
    assert.deepEqual(publisher.linesOf('no'), ['3 type', '4 type'])
  },
}

/** Offsets that only rise. */
function expectRising(offsets: readonly ReceivedEvent['offset'][]): void {
  const falls = offsets.filter((offset, i) => i > 0 && offset <= (offsets[i - 1] ?? Infinity))
  assert.deepEqual(falls, [], 'Expected offsets to rise')
}

/** What a subscriber gets. */
export const DELIVERY: HubCaseGroup = Object.freeze({
  title: 'Delivery',
  cases: [
    sameBytes,
    inOrder,
    oneOrderForAll,
    onceForAll,
    patterns,
    ownEvents,
    atMostOnceMode,
    manyInOneMessage,
    extremes,
  ],
})
