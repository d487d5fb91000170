/** Cases about cursors: where events continue after a connection was lost. */
import assert from 'node:assert/strict'
import { type HubCase, type HubCaseGroup, SMALL_LOG } from '../hub-case.ts'
import type { HubWorld } from '../hub-world.ts'
import { pubLine, pubLines, subOf } from '../lines.ts'

/** A subscriber that lost its link, and what was published meanwhile. */
async function lostSubscriber(world: HubWorld): Promise<{
  readonly sid: string
  readonly epoch: string
  readonly offsets: readonly number[]
}> {
  const type = world.type('a')
  const publisher = await world.openSession()
  const witness = await world.reader(type)
  const first = await world.openSession({ subs: [subOf(1, type)] })
  publisher.send(...pubLines(1, 10, type))
  await first.count(10)
  first.send(`ack ${first.offsets[3]}`)
  await first.settled()
  await first.cut()
  publisher.send(...pubLines(11, 15, type))
  await witness.count(15)
  const { sid, epoch } = first.welcome
  return { sid, epoch, offsets: first.offsets }
}

const noSeam: HubCase = {
  id: 'W83',
  level: 'MUST',
  title: 'goes on behind the cursor of the hello: nothing is missing and nothing comes twice',
  async run(world) {
    const { sid, epoch, offsets } = await lostSubscriber(world)
    const second = await world.reader(world.type('a'), { sid, epoch, offset: offsets[5] ?? 0 })
    const { welcome } = second
    assert.deepEqual([welcome.resumed, welcome.gaps], [true, []])
    assert.deepEqual(welcome.subs, [{ id: 1, offset: offsets[5] }])
    await second.payload(15)
    assert.deepEqual(second.payloads, [7, 8, 9, 10, 11, 12, 13, 14, 15])
  },
}

const lastAck: HubCase = {
  id: 'W84',
  level: 'MUST',
  title: 'goes on behind the last acknowledgement where the hello has no cursor',
  async run(world) {
    const { sid, epoch } = await lostSubscriber(world)
    const second = await world.reader(world.type('a'), { sid, epoch })
    await second.payload(15)
    assert.deepEqual(second.payloads, [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
  },
}

const liveSeam: HubCase = {
  id: 'W85',
  level: 'MUST',
  title: 'loses and doubles nothing at the seam while a publisher goes on, link after link',
  async run(world) {
    const type = world.type('a')
    const publisher = await world.openSession()
    const seen: unknown[] = []
    let cursor: { sid?: string; epoch?: string; offset?: number } = {}
    for (let link = 0; link < 6; link++) {
      const reader = await world.reader(type, cursor)
      const from = link * 20 + 1
      publisher.send(...pubLines(from, from + 9, type))
      await reader.payload(from + 9)
      publisher.send(...pubLines(from + 10, from + 19, type))
      await reader.cut()
      seen.push(...reader.payloads)
      const { sid, epoch, subs } = reader.welcome
      cursor = { sid, epoch, offset: reader.offsets.at(-1) ?? subs[0]?.offset ?? 0 }
    }
    const last = await world.reader(type, cursor)
    await world.waiting.until(
      () => [...seen, ...last.payloads].includes(120),
      'the last event',
      () => last.payloads,
    )
    const all = [...seen, ...last.payloads]
    assert.deepEqual(
      all,
      Array.from({ length: 120 }, (_, i) => i + 1),
    )
  },
}

const replaces: HubCase = {
  id: 'W86',
  level: 'MUST',
  title: 'replaces the subscriptions of a session by those of its hello; new ones begin now',
  async run(world) {
    const [a, b, c] = [world.type('a'), world.type('b'), world.type('c')]
    const publisher = await world.openSession()
    const witness = await world.reader(world.type('>'))
    const first = await world.openSession({ subs: [subOf(1, a), subOf(2, b)] })
    const { sid, epoch, head } = first.welcome
    await first.cut()
    publisher.send(pubLine(1, a, 1), pubLine(2, b, 2), pubLine(3, c, 3))
    await witness.count(3)
    const subs = [subOf(1, a), subOf(3, c)]
    const second = await world.reader(a, { sid, epoch, offset: head, subs })
    publisher.send(pubLine(4, b, 4), pubLine(5, c, 5))
    await second.payload(5)
    assert.deepEqual(second.payloads, [1, 5])
  },
}

const overrun: HubCase = {
  id: 'W90',
  level: 'MUST',
  title: 'tells what has left the log as a gap "overrun", and delivers the rest',
  needs: SMALL_LOG,
  async run(world) {
    const type = world.type('a')
    const most = world.options.settings?.logEvents ?? 0
    const publisher = await world.openSession()
    const { epoch, head } = publisher.welcome
    for (let from = 1; from <= 2 * most; from += 100) {
      const to = Math.min(from + 99, 2 * most)
      publisher.send(...pubLines(from, to, type))
      await publisher.ok(to)
    }
    const reader = await world.reader(type, { epoch, offset: head })
    const gaps = [
      ...reader.welcome.gaps,
      ...reader.linesOf('gap').map((line) => {
        const [from, to, why] = line.split(' ')
        return { from: Number(from), to: Number(to), why }
      }),
    ]
    await reader.payload(2 * most)
    const [gap] = gaps
    assert.deepEqual([gaps.length, gap?.why], [1, 'overrun'])
    assert.equal(reader.offsets[0], (gap?.to ?? 0) + 1)
    assert.ok((gap?.from ?? 0) > head && reader.events.length < 2 * most)
  },
}

/** What a subscriber gets after a break. */
export const CURSORS: HubCaseGroup = Object.freeze({
  title: 'Cursors',
  cases: [noSeam, lastAck, liveSeam, replaces, overrun],
})
