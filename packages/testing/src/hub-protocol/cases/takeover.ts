/** Cases about taking over: one session on two connections, and offsets of another log. */
import assert from 'node:assert/strict'
import type { HubCase, HubCaseGroup } from '../hub-case.ts'
import { pubLine, pubLines, subOf } from '../lines.ts'

const fences: HubCase = {
  id: 'W100',
  level: 'MUST',
  title: 'closes the older link of a session with 4410 "replaced" when a newer one says its sid',
  async run(world) {
    const type = world.type('a')
    const publisher = await world.openSession()
    const first = await world.openSession({ subs: [subOf(1, type)] })
    const { sid, epoch, head } = first.welcome
    const second = await world.reader(type, { sid, epoch, offset: head })
    assert.deepEqual([second.welcome.sid, second.welcome.resumed], [sid, true])
    await first.closedWith(4410, 'replaced')
    publisher.send(pubLine(1, type, 1))
    await second.payload(1)
    assert.deepEqual(first.events, [])
  },
}

const heedsNoFenced: HubCase = {
  id: 'W101',
  level: 'MUST',
  title: 'heeds nothing that a link says after it was replaced',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const old = await world.raw()
    old.send(world.hello())
    await old.line('welcome ')
    const [, sid = ''] = /"sid":"([^"]+)"/.exec(old.text) ?? []
    const second = await world.openSession({ sid })
    assert.equal(second.welcome.resumed, true)
    // It has not read the close yet.
    old.send(pubLine(1, type, 'from the old link'))
    assert.deepEqual(await old.closeFrame(), { code: 4410, reason: 'replaced' })
    old.send(pubLine(1, type, 'from the old link'))
    second.send(pubLine(1, type, 'from the new link'))
    await second.ok(1)
    await reader.payload('from the new link')
    assert.deepEqual(reader.payloads, ['from the new link'])
  },
}

const outlivesFenced: HubCase = {
  id: 'W102',
  level: 'MUST',
  title: 'keeps the session of the newer link when the older one ends',
  async run(world) {
    const type = world.type('a')
    const first = await world.openSession({ subs: [subOf(1, type)] })
    const { sid, epoch, head } = first.welcome
    const second = await world.reader(type, { sid, epoch, offset: head })
    await first.closedWith(4410)
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, 3, type))
    await second.payload(3)
    await second.cut()
    const third = await world.openSession({ sid, epoch })
    assert.equal(third.welcome.resumed, true)
  },
}

const otherEpoch: HubCase = {
  id: 'W103',
  level: 'MUST',
  title: 'tells a gap "epoch" to a cursor of another log, and begins at the beginning of its own',
  async run(world) {
    const type = world.type('a')
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, 3, type))
    await publisher.ok(3)
    const reader = await world.reader(type, { epoch: 'another-log', offset: 41 })
    const { resumed, gaps, epoch } = reader.welcome
    assert.deepEqual([resumed, gaps], [false, [{ from: 42, to: 42, why: 'epoch' }]])
    assert.notEqual(epoch, 'another-log')
    await reader.payload(3)
    assert.deepEqual(reader.payloads, [1, 2, 3])
  },
}

const beyondHead: HubCase = {
  id: 'W104',
  level: 'MUST',
  title: 'tells a gap "epoch" to a cursor beyond its newest event',
  async run(world) {
    const type = world.type('a')
    const publisher = await world.openSession()
    const { epoch, head } = publisher.welcome
    publisher.send(pubLine(1, type, 1))
    await publisher.ok(1)
    const offset = head + 10_000_000
    const reader = await world.reader(type, { epoch, offset })
    assert.deepEqual(reader.welcome.gaps, [{ from: offset + 1, to: offset + 1, why: 'epoch' }])
    await reader.payload(1)
  },
}

const noGapWithoutCursor: HubCase = {
  id: 'W105',
  level: 'MUST',
  title: 'tells no gap to a client of another log that has no cursor',
  async run(world) {
    const subs = [subOf(1, world.type('a'))]
    const { welcome } = await world.openSession({ epoch: 'another-log', subs })
    assert.deepEqual(welcome.gaps, [])
  },
}

const tooLargeForClient: HubCase = {
  id: 'W106',
  level: 'MUST',
  title: 'tells a gap "size" for an event above the maxMessageBytes of the hello, and goes on',
  async run(world) {
    const type = world.type('a')
    const maxMessageBytes = 2_000
    const reader = await world.reader(type, { maxMessageBytes })
    const publisher = await world.openSession()
    publisher.send(pubLine(1, type, 1), pubLine(2, type, 'x'.repeat(3_000)), pubLine(3, type, 3))
    await reader.payload(3)
    assert.deepEqual(reader.payloads, [1, 3])
    const [one = 0, three = 0] = reader.offsets
    const [, from, to] = /^(\d+) (\d+) size$/.exec(reader.linesOf('gap')[0] ?? '') ?? []
    assert.ok(Number(from) > one && Number(to) < three && Number(from) <= Number(to))
    assert.equal(reader.linesOf('gap').length, 1)
  },
}

const smallMessages: HubCase = {
  id: 'W107',
  level: 'MUST',
  title: 'sends no message above the maxMessageBytes of the hello',
  async run(world) {
    const type = world.type('a')
    const maxMessageBytes = 2_000
    const reader = await world.reader(type, { maxMessageBytes })
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, 200, type))
    await reader.payload(200)
    assert.ok(reader.largestMessage <= maxMessageBytes, `${reader.largestMessage} bytes`)
  },
}

/** Links that follow each other too closely, and logs that do not. */
export const TAKEOVER: HubCaseGroup = Object.freeze({
  title: 'Takeover, epochs and gaps',
  cases: [
    fences,
    heedsNoFenced,
    outlivesFenced,
    otherEpoch,
    beyondHead,
    noGapWithoutCursor,
    tooLargeForClient,
    smallMessages,
  ],
})
