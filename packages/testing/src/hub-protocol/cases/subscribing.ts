/** Cases about subscribing: where a subscription begins, and how it ends. */
import assert from 'node:assert/strict'
import { type HubCase, type HubCaseGroup, SUBSCRIPTION_LIMIT } from '../hub-case.ts'
import { pubLine, pubLines, subOf } from '../lines.ts'

/** The offset in `subok <id> <offset>`. */
function offsetOf(subok: string): number {
  const found = /^subok \d+ (0|[1-9]\d*)$/.exec(subok)
  assert.ok(found, `Expected an offset in ${subok}`)
  return Number(found[1])
}

const live: HubCase = {
  id: 'W60',
  level: 'MUST',
  title: 'answers a sub with subok, and delivers every later event that matches',
  async run(world) {
    const type = world.type('a')
    const publisher = await world.openSession()
    publisher.send(pubLine(1, type, 'before'))
    await publisher.ok(1)
    const reader = await world.openSession()
    reader.send(`sub 4 ${type} amo`)
    const offset = offsetOf(await reader.line('subok 4 '))
    publisher.send(...pubLines(2, 6, type))
    await reader.payload(6)
    assert.deepEqual(reader.payloads, [2, 3, 4, 5, 6])
    assert.ok(reader.offsets.every((later) => later > offset))
  },
}

const fromThePast: HubCase = {
  id: 'W61',
  level: 'MUST',
  title: 'begins a subscription behind its from, which may lie in the past',
  async run(world) {
    const type = world.type('a')
    const witness = await world.reader(type)
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, 5, type))
    await witness.count(5)
    const from = witness.offsets[1] ?? 0
    const reader = await world.openSession()
    reader.send(`sub 1 ${type} amo ${from}`)
    assert.equal(offsetOf(await reader.line('subok 1 ')), from)
    await reader.payload(5)
    assert.deepEqual(reader.payloads, [3, 4, 5])
  },
}

const helloFrom: HubCase = {
  id: 'W62',
  level: 'MUST',
  title: 'begins a subscription of a hello behind its from, and the others now',
  async run(world) {
    const [old, late] = [world.type('old'), world.type('late')]
    const witness = await world.reader(world.type('>'))
    const publisher = await world.openSession()
    publisher.send(pubLine(1, old, 1), pubLine(2, late, 2), pubLine(3, old, 3))
    await witness.count(3)
    const { epoch } = witness.welcome
    const from = witness.offsets[0] ?? 0
    const subs = [subOf(1, old, 'amo', from), subOf(2, late, 'amo')]
    const reader = await world.openSession({ epoch, subs })
    publisher.send(pubLine(4, late, 4))
    await reader.payload(4)
    assert.deepEqual(reader.payloads, [3, 4])
  },
}

const neverBack: HubCase = {
  id: 'W63',
  level: 'MUST',
  title: 'never goes back behind what the link was told, even for a from that does',
  async run(world) {
    const [a, b] = [world.type('a'), world.type('b')]
    const reader = await world.reader(a)
    const publisher = await world.openSession()
    publisher.send(pubLine(1, b, 1), pubLine(2, a, 2))
    await reader.payload(2)
    reader.send(`sub 2 ${b} alo 0`)
    const offset = offsetOf(await reader.line('subok 2 '))
    assert.ok(offset >= (reader.offsets[0] ?? Infinity), `subok 2 ${offset}`)
    publisher.send(pubLine(3, b, 3))
    await reader.payload(3)
    assert.deepEqual(reader.payloads, [2, 3])
  },
}

const again: HubCase = {
  id: 'W64',
  level: 'MUST',
  title: 'closes with 4400 "sub again" for an id that is in use',
  async run(world) {
    const client = await world.openSession({ subs: [subOf(1, world.type('a'), 'amo')] })
    client.send(`sub 1 ${world.type('b')} amo`)
    await client.closedWith(4400, 'sub again')
  },
}

const ends: HubCase = {
  id: 'W65',
  level: 'MUST',
  title: 'delivers nothing more behind an unsub, whose id can be used again',
  async run(world) {
    const [a, b] = [world.type('a'), world.type('b')]
    const reader = await world.openSession({ subs: [subOf(1, a, 'amo'), subOf(2, b, 'amo')] })
    const publisher = await world.openSession()
    publisher.send(pubLine(1, a, 1))
    await reader.payload(1)
    reader.send('unsub 1', `sub 3 ${world.type('c')} amo`)
    // A hub that answers the sub has processed the unsub.
    await reader.line('subok 3 ')
    publisher.send(pubLine(2, a, 2), pubLine(3, b, 3))
    await reader.payload(3)
    reader.send(`sub 1 ${a} amo`)
    await reader.line('subok 1 ')
    publisher.send(pubLine(4, a, 4))
    await reader.payload(4)
    assert.deepEqual(reader.payloads, [1, 3, 4])
  },
}

const unknownUnsub: HubCase = {
  id: 'W66',
  level: 'MUST',
  title: 'does not mind an unsub of an id that it does not know, and does not answer one',
  async run(world) {
    const client = await world.openSession()
    client.send('unsub 99', 'unsub 0', `sub 1 ${world.type('a')} amo`)
    const answer = await client.line('subok 1 ')
    assert.deepEqual(client.lines.slice(1), [answer])
  },
}

const wildPattern: HubCase = {
  id: 'W67',
  level: 'MUST',
  title: 'refuses a pattern with more than four * with "subno … pattern", and its id stays free',
  async run(world) {
    const client = await world.openSession()
    client.send('sub 1 *.*.*.*.* amo', `sub 1 ${world.type('*.*.*.*')} amo`)
    await client.line('subok 1 ')
    assert.deepEqual(client.linesOf('subno'), ['1 pattern'])
  },
}

const limit: HubCase = {
  id: 'W68',
  level: 'MUST',
  title: 'refuses one subscription more than a session may have with "subno … limit"',
  needs: SUBSCRIPTION_LIMIT,
  async run(world) {
    const most = world.options.settings?.subscriptions ?? 0
    const client = await world.openSession()
    const subs = Array.from({ length: most + 1 }, (_, i) => `sub ${i} ${world.type(`a${i}`)} amo`)
    client.send(...subs)
    await client.line(`subno ${most} `)
    assert.deepEqual(client.linesOf('subno'), [`${most} limit`])
    assert.equal(client.linesOf('subok').length, most)
    client.send('unsub 0', `sub ${most} ${world.type('b')} amo`)
    await client.line(`subok ${most} `)
  },
}

const cursorBeforeEvents: HubCase = {
  id: 'W69',
  level: 'MUST',
  title: 'takes an ack of the offset at which a subscription begins, before any event',
  async run(world) {
    const client = await world.openSession({ subs: [subOf(1, world.type('a'))] })
    const cursor = client.welcome.subs[0]?.offset
    client.send(`ack ${cursor}`, `sub 2 ${world.type('b')} alo`)
    const answer = await client.line('subok 2 ')
    assert.ok(offsetOf(answer) >= Number(cursor))
    assert.equal(client.closed, undefined)
  },
}

/** What `sub` and `unsub` do. */
export const SUBSCRIBING: HubCaseGroup = Object.freeze({
  title: 'Subscribing',
  cases: [
    live,
    fromThePast,
    helloFrom,
    neverBack,
    again,
    ends,
    unknownUnsub,
    wildPattern,
    limit,
    cursorBeforeEvents,
  ],
})
