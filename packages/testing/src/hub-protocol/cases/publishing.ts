/** Cases about publishing: numbers, their answers, and refusals. */
import assert from 'node:assert/strict'
import type { HubCase, HubCaseGroup } from '../hub-case.ts'
import { pubLine, pubLines } from '../lines.ts'

const confirms: HubCase = {
  id: 'W30',
  level: 'MUST',
  title: 'confirms a number with ok',
  async run(world) {
    const publisher = await world.openSession()
    publisher.send(pubLine(1, world.type('a'), 1))
    await publisher.ok(1)
    publisher.send(pubLine(2, world.type('a'), 2))
    await publisher.ok(2)
    assert.deepEqual(publisher.lines.slice(1), ['ok 1', 'ok 2'])
  },
}

const confirmsWhatWasSaid: HubCase = {
  id: 'W31',
  level: 'MUST',
  title: 'never confirms more than was said, and numbers only rise',
  async run(world) {
    const publisher = await world.openSession()
    for (let from = 1; from <= 91; from += 10) {
      publisher.send(...pubLines(from, from + 9, world.type('a')))
      await publisher.ok(from + 9)
      assert.equal(publisher.oks.at(-1), from + 9)
    }
    assert.deepEqual(
      publisher.oks.toSorted((a, b) => a - b),
      publisher.oks,
    )
  },
}

const relaysOnce: HubCase = {
  id: 'W32',
  level: 'MUST',
  title: 'relays a number that comes again once, and confirms it again',
  async run(world) {
    const reader = await world.reader(world.type('a'))
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, 3, world.type('a')))
    await publisher.ok(3)
    const confirmed = publisher.oks.length
    publisher.send(...pubLines(2, 3, world.type('a')))
    await world.waiting.until(() => publisher.oks.length > confirmed, 'another ok')
    publisher.send(pubLine(4, world.type('a'), 4))
    await reader.payload(4)
    assert.deepEqual(reader.payloads, [1, 2, 3, 4])
  },
}

const refusesHoles: HubCase = {
  id: 'W33',
  level: 'MUST',
  title: 'closes with 4409 "pub hole" or "rep hole" for a number beyond the next',
  async run(world) {
    const type = world.type('a')
    for (const [lines, reason] of [
      [[pubLine(2, type, 2)], 'pub hole'],
      [[pubLine(1, type, 1), pubLine(3, type, 3)], 'pub hole'],
      [[pubLine(2, type, 2, 'rep')], 'rep hole'],
    ] as const) {
      const publisher = await world.openSession()
      publisher.send(...lines)
      await publisher.closedWith(4409, reason)
    }
  },
}

const countsBeforeAHole: HubCase = {
  id: 'W34',
  level: 'MUST',
  title: 'relays what stands before a hole, and nothing behind it',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const publisher = await world.openSession()
    publisher.send(
      pubLine(1, type, 1),
      pubLine(2, type, 2),
      pubLine(4, type, 4),
      pubLine(3, type, 3),
    )
    await publisher.closedWith(4409, 'pub hole')
    const other = await world.openSession()
    other.send(pubLine(1, type, 'last'))
    await reader.payload('last')
    assert.deepEqual(reader.payloads, [1, 2, 'last'])
  },
}

const atMostOnce: HubCase = {
  id: 'W35',
  level: 'MUST',
  title: 'relays events without a number and never answers them',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const publisher = await world.openSession()
    publisher.send(pubLine('-', type, 'a'), pubLine(1, type, 1), pubLine('-', type, 'b'))
    publisher.send(pubLine('-', `${type}..`, 'bad'), pubLine(2, type, 2))
    await publisher.ok(2)
    await reader.payload(2)
    assert.deepEqual(reader.payloads, ['a', 1, 'b', 2])
    assert.deepEqual(publisher.linesOf('no'), [])
    assert.equal(publisher.oks.at(-1), 2)
  },
}

const refusesTypes: HubCase = {
  id: 'W36',
  level: 'MUST',
  title: 'refuses a type that is none with "no … type", uses its number up and does not relay it',
  async run(world) {
    const reader = await world.reader(world.type('>'))
    const publisher = await world.openSession()
    const bad = ['..', '.', '*', '.>', `.${'x'.repeat(256)}`, '.é']
    const badLines = bad.map((end, i) => pubLine(i + 2, world.type('a') + end, i + 2))
    const last = bad.length + 2
    publisher.send(
      pubLine(1, world.type('a'), 1),
      ...badLines,
      pubLine(last, world.type('a'), last),
    )
    await publisher.ok(last)
    assert.deepEqual(
      publisher.linesOf('no'),
      bad.map((_, i) => `${i + 2} type`),
    )
    await reader.payload(last)
    assert.deepEqual(reader.payloads, [1, last])
  },
}

const refusalComesFirst: HubCase = {
  id: 'W37',
  level: 'MUST',
  title: 'tells a refusal before the ok that includes it',
  async run(world) {
    const publisher = await world.openSession()
    for (let n = 1; n <= 20; n += 2) {
      publisher.send(pubLine(n, `${world.type('a')}..`, n), pubLine(n + 1, world.type('a'), n + 1))
      await publisher.ok(n + 1)
      const refusal = publisher.lines.indexOf(`no ${n} type`)
      const including = publisher.lines.findIndex(
        (line) => line.startsWith('ok ') && Number(line.slice(3)) >= n,
      )
      assert.ok(refusal !== -1 && refusal < including, JSON.stringify(publisher.lines.slice(1)))
    }
  },
}

const eventSizes: HubCase = {
  id: 'W38',
  level: 'MUST',
  title: 'takes a line of maxEventBytes and refuses a longer one with "no … size"',
  async run(world) {
    const type = world.type('a')
    const publisher = await world.openSession()
    const { maxEventBytes, maxLineBytes } = publisher.welcome.limits
    const most = Math.min(maxEventBytes, maxLineBytes)
    const empty = Buffer.byteLength(pubLine(1, type, ''))
    publisher.send(pubLine(1, type, 'x'.repeat(most - empty)))
    await publisher.ok(1)
    assert.deepEqual(publisher.linesOf('no'), [])
    if (maxEventBytes === maxLineBytes) return
    publisher.send(pubLine(2, type, 'x'.repeat(most - empty + 1)))
    await publisher.ok(2)
    assert.deepEqual(publisher.linesOf('no'), ['2 size'])
  },
}

const repeats: HubCase = {
  id: 'W39',
  level: 'MUST',
  title: 'relays rep as rv and pub as ev, with the same numbering',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const publisher = await world.openSession()
    publisher.send(pubLine(1, type, 1, 'rep'), pubLine(2, type, 2, 'rep'), pubLine(3, type, 3))
    await publisher.ok(3)
    await reader.count(3)
    assert.deepEqual(
      reader.events.map(({ verb }) => verb),
      ['rv', 'rv', 'ev'],
    )
  },
}

const ownNumbers: HubCase = {
  id: 'W40',
  level: 'MUST',
  title: 'keeps the numbers of its sessions apart',
  async run(world) {
    const reader = await world.reader(world.type('>'))
    const [a, b] = [await world.openSession(), await world.openSession()]
    a.send(...pubLines(1, 3, world.type('a')))
    await a.ok(3)
    b.send(...pubLines(1, 2, world.type('b')))
    await b.ok(2)
    await reader.count(5)
    assert.deepEqual(b.oks.at(-1), 2)
  },
}

const sameIdTwice: HubCase = {
  id: 'W41',
  level: 'MUST',
  title: 'relays two numbers with the same id as two events',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const publisher = await world.openSession()
    for (const n of [1, 2]) {
      publisher.send(`pub ${n} ${type} same {"payload":${n},"metadata":{"timestamp":1}}`)
    }
    await reader.count(2)
    assert.deepEqual(reader.payloads, [1, 2])
  },
}

/** What a publisher meets. */
export const PUBLISHING: HubCaseGroup = Object.freeze({
  title: 'Publishing',
  cases: [
    confirms,
    confirmsWhatWasSaid,
    relaysOnce,
    refusesHoles,
    countsBeforeAHole,
    atMostOnce,
    refusesTypes,
    refusalComesFirst,
    eventSizes,
    repeats,
    ownNumbers,
    sameIdTwice,
  ],
})
