/** Cases about the plain JSON wire beside `bus.v1`: one message is one event. */
import assert from 'node:assert/strict'
import { type HubCase, type HubCaseGroup, PLAIN } from '../hub-case.ts'
import { payloadOf, pubLine } from '../lines.ts'

function frameOf(type: string, payload: unknown): string {
  const metadata = { timestamp: '2026-05-04T09:30:00.000Z', source: 'suite' }
  return JSON.stringify({ id: 'plain-1', event_type: type, payload, metadata })
}

const unchanged: HubCase = {
  id: 'W150',
  level: 'MUST',
  title: 'passes a plain message on to the other plain clients, unchanged and not to its sender',
  needs: PLAIN,
  async run(world) {
    const [one, other] = [await world.plain(), await world.plain()]
    const frame = ` ${frameOf(world.type('a'), 'é 1.0')} `
    one.send(frame)
    assert.equal(await other.frame(world.type('a')), frame)
    other.send(frameOf(world.type('back'), 1))
    await one.frame(world.type('back'))
    assert.ok(!one.frames.includes(frame))
  },
}

const comesIn: HubCase = {
  id: 'W151',
  level: 'MUST',
  title: 'shows a plain event to subscribers of bus.v1',
  needs: PLAIN,
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const plain = await world.plain()
    plain.send(frameOf(type, { total: 1 }))
    await reader.count(1)
    const [event] = reader.events
    assert.ok(event !== undefined)
    assert.deepEqual([event.verb, event.type, event.id], ['ev', type, 'plain-1'])
    assert.deepEqual(payloadOf(event), { total: 1 })
  },
}

const goesOut: HubCase = {
  id: 'W152',
  level: 'MUST',
  title: 'shows an event of bus.v1 to plain clients, in their form',
  needs: PLAIN,
  async run(world) {
    const type = world.type('a')
    const plain = await world.plain()
    const publisher = await world.openSession()
    publisher.send(pubLine(1, type, { total: 1 }))
    const wire = JSON.parse(await plain.frame(type)) as Record<string, unknown>
    assert.deepEqual(
      [wire['id'], wire['event_type'], wire['payload']],
      ['id-1', type, { total: 1 }],
    )
  },
}

/** Two wires, one log. */
export const PLAIN_WIRE: HubCaseGroup = Object.freeze({
  title: 'The plain wire',
  cases: [unchanged, comesIn, goesOut],
})
