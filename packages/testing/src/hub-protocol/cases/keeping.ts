/** Keeping: what a full log does with what a subscriber still needs, and what one misses that is too slow. */
import assert from 'node:assert/strict'
import type { HubCase, HubCaseGroup } from '../hub-case.ts'
import { pubLines, subOf } from '../lines.ts'
import { HOLDING, SMALL_LOG } from '../needs.ts'

const waits: HubCase = {
  id: 'W91',
  level: 'MUST',
  title: 'holds events and their confirmations while a full log keeps what a subscriber needs',
  needs: SMALL_LOG,
  async run(world) {
    const type = world.type('a')
    const most = world.options.settings?.logEvents ?? 0
    const reader = await world.greet({ subs: [subOf(1, type)] })
    const publisher = await world.greet()
    publisher.say(...pubLines(1, most + 10, type))
    await reader.count(most)
    await world.waiting.quiet()
    assert.ok(
      publisher.oks.every((ok) => ok <= most),
      `${most} events fit, ok ${publisher.oks.at(-1)}`,
    )
    reader.acksAtOnce = true
    reader.say(`ack ${reader.offsets[20]}`)
    await publisher.ok(most + 10)
    await reader.count(most + 10)
    assert.deepEqual(reader.heard('gap'), [])
    assert.deepEqual(
      reader.payloads,
      Array.from({ length: most + 10 }, (_, i) => i + 1),
    )
  },
}

const givesUp: HubCase = {
  id: 'W92',
  level: 'MUST',
  title:
    'gives a subscriber up that settles nothing for holdMs, and tells what it missed as "slow"',
  needs: HOLDING,
  async run(world) {
    const type = world.type('a')
    const count = 2 * (world.options.settings?.logEvents ?? 0)
    const window = { events: 5, bytes: 1_000_000 }
    const reader = await world.greet({ subs: [subOf(1, type)], window })
    const publisher = await world.greet()
    publisher.say(...pubLines(1, count, type))
    await publisher.ok(count)
    reader.acksAtOnce = true
    reader.say(`ack ${reader.offsets[4]}`)
    await reader.payload(count)
    const gaps = reader.lines.filter((line) => line.startsWith('gap '))
    const [, from, to] = /^gap (\d+) (\d+) slow$/.exec(gaps[0] ?? '') ?? []
    assert.deepEqual([gaps.length, Number(from)], [1, (reader.offsets[4] ?? 0) + 1])
    assert.equal(Number(to) + 1, reader.offsets[5])
    const places = ['gap ', `ev ${reader.offsets[5]} `].map((start) =>
      reader.lines.findIndex((line) => line.startsWith(start)),
    )
    assert.ok((places[0] ?? 0) < (places[1] ?? 0), 'Expected the gap before the next event')
  },
}

/** A log that is full. */
export const KEEPING: HubCaseGroup = Object.freeze({
  title: 'A full log',
  cases: [waits, givesUp],
})
