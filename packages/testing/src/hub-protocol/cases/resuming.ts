/** Cases about resuming: what a session keeps for its next connection, and to whom it belongs. */
import assert from 'node:assert/strict'
import { type HubCase, type HubCaseGroup, OTHER_TOKEN, SESSION_TTL } from '../hub-case.ts'
import { pubLine, pubLines } from '../lines.ts'

const publisherGoesOn: HubCase = {
  id: 'W80',
  level: 'MUST',
  title: 'goes on with a session: the same sid, what is confirmed, and the next number',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const first = await world.openSession()
    first.send(...pubLines(1, 3, type))
    await first.ok(3)
    const { sid, epoch } = first.welcome
    await first.cut()
    const second = await world.openSession({ sid, epoch })
    const { welcome } = second
    assert.deepEqual([welcome.sid, welcome.resumed, welcome.last], [sid, true, 3])
    second.send(pubLine(4, type, 4))
    await second.ok(4)
    await reader.payload(4)
    assert.deepEqual(reader.payloads, [1, 2, 3, 4])
  },
}

const resentOnce: HubCase = {
  id: 'W81',
  level: 'MUST',
  title: 'relays what a session sends again over its next link once',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const first = await world.openSession()
    first.send(...pubLines(1, 5, type))
    // Its confirmations may be lost with the link.
    await reader.count(5)
    const { sid, epoch } = first.welcome
    await first.cut()
    const second = await world.openSession({ sid, epoch })
    second.send(...pubLines(1, 7, type))
    await second.ok(7)
    await reader.payload(7)
    assert.deepEqual(reader.payloads, [1, 2, 3, 4, 5, 6, 7])
  },
}

const refusalsAgain: HubCase = {
  id: 'W82',
  level: 'MUST',
  title: 'tells the refusals of a session again in its welcome',
  async run(world) {
    const type = world.type('a')
    const first = await world.openSession()
    first.send(pubLine(1, type, 1), pubLine(2, `${type}..`, 2), pubLine(3, type, 3))
    await first.ok(3)
    const { sid, epoch } = first.welcome
    await first.cut()
    const { welcome } = await world.openSession({ sid, epoch })
    assert.deepEqual([welcome.last, welcome.refused], [3, [[2, 'type']]])
  },
}

const unknownSession: HubCase = {
  id: 'W87',
  level: 'MUST',
  title: 'begins a new session for a sid that it does not know, behind the cursor of the hello',
  async run(world) {
    const type = world.type('a')
    const publisher = await world.openSession()
    const witness = await world.reader(type)
    publisher.send(...pubLines(1, 4, type))
    await witness.count(4)
    const { epoch } = witness.welcome
    const offset = witness.offsets[1] ?? 0
    const reader = await world.reader(type, { sid: 'nobody-has-it', epoch, offset })
    const { sid, resumed, last, gaps } = reader.welcome
    assert.notEqual(sid, 'nobody-has-it')
    assert.deepEqual([resumed, last, gaps], [false, 0, []])
    await reader.payload(4)
    assert.deepEqual(reader.payloads, [3, 4])
  },
}

const expires: HubCase = {
  id: 'W88',
  level: 'MUST',
  title: 'forgets a session that was without a link for longer than sessionTtlMs',
  needs: SESSION_TTL,
  async run(world) {
    const ttl = world.options.settings?.sessionTtlMs ?? 0
    const deadline = performance.now() + 10 * ttl + 5_000
    for (let waitMs = 2 * ttl; ; waitMs *= 2) {
      const first = await world.openSession()
      first.send(pubLine(1, world.type('a'), 1))
      await first.ok(1)
      const { sid, epoch } = first.welcome
      await first.cut()
      await new Promise((resolve) => setTimeout(resolve, waitMs))
      const { welcome } = await world.openSession({ sid, epoch })
      if (!welcome.resumed) return assert.deepEqual([welcome.last, welcome.sid === sid], [0, false])
      assert.ok(performance.now() < deadline, `Still there ${waitMs} ms after its link`)
    }
  },
}

const foreignSession: HubCase = {
  id: 'W89',
  level: 'MUST',
  title: 'gives nobody the session of somebody else',
  needs: OTHER_TOKEN,
  async run(world) {
    const first = await world.openSession()
    first.send(pubLine(1, world.type('a'), 1))
    await first.ok(1)
    const { sid, epoch } = first.welcome
    const token = world.options.credentials?.other ?? ''
    const { welcome } = await world.openSession({ sid, epoch, token })
    assert.deepEqual([welcome.resumed, welcome.last, welcome.sid === sid], [false, 0, false])
    await first.settled()
    assert.equal(first.closed, undefined)
  },
}

/** A second link of a session. */
export const RESUMING: HubCaseGroup = Object.freeze({
  title: 'Resuming',
  cases: [publisherGoesOn, resentOnce, refusalsAgain, unknownSession, expires, foreignSession],
})
