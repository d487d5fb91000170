/** Cases about acknowledgements, the window of a subscriber, and what the log keeps for those who are behind. */
import assert from 'node:assert/strict'
import { HOLDING, type HubCase, type HubCaseGroup, SMALL_LOG } from '../hub-case.ts'
import { pubLine, pubLines, subOf } from '../lines.ts'

const windowOfEvents: HubCase = {
  id: 'W70',
  level: 'MUST',
  title: 'sends no more events than the window of the hello has without an acknowledgement',
  async run(world) {
    const type = world.type('a')
    const window = { events: 3, bytes: 1_000_000 }
    const reader = await world.openSession({ subs: [subOf(1, type)], window })
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, 8, type))
    await reader.count(3)
    await world.waiting.quiet()
    assert.deepEqual(reader.payloads, [1, 2, 3])
    reader.send(`ack ${reader.offsets[1]}`)
    await reader.count(5)
    await world.waiting.quiet()
    assert.deepEqual(reader.payloads, [1, 2, 3, 4, 5])
    reader.acknowledgesAtOnce = true
    reader.send(`ack ${reader.offsets.at(-1)}`)
    await reader.count(8)
  },
}

const windowOfBytes: HubCase = {
  id: 'W71',
  level: 'MUST',
  title: 'stops at the bytes of the window, and sends one event that is larger than them',
  async run(world) {
    const type = world.type('a')
    const window = { events: 100, bytes: 1_000 }
    const reader = await world.openSession({ subs: [subOf(1, type)], window })
    const publisher = await world.openSession()
    for (let n = 1; n <= 3; n++) publisher.send(pubLine(n, type, 'x'.repeat(3_000)))
    await reader.count(1)
    await world.waiting.quiet()
    assert.equal(reader.events.length, 1)
    reader.acknowledgesAtOnce = true
    reader.send(`ack ${reader.offsets[0]}`)
    await reader.count(3)
  },
}

const lowerAck: HubCase = {
  id: 'W72',
  level: 'MUST',
  title: 'takes an acknowledgement that is lower than the last, and changes nothing',
  async run(world) {
    const type = world.type('a')
    const window = { events: 2, bytes: 1_000_000 }
    const reader = await world.openSession({ subs: [subOf(1, type)], window })
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, 5, type))
    await reader.count(2)
    reader.send(`ack ${reader.offsets[1]}`)
    await reader.count(4)
    reader.send(`ack ${reader.offsets[0]}`, 'ack 0')
    await world.waiting.quiet()
    assert.deepEqual([reader.payloads, reader.closed], [[1, 2, 3, 4], undefined])
    reader.send(`ack ${reader.offsets[3]}`)
    await reader.payload(5)
  },
}

const beyond: HubCase = {
  id: 'W73',
  level: 'MUST',
  title: 'closes with 4409 "ack offset" for an offset that was not told',
  async run(world) {
    const type = world.type('a')
    const reader = await world.openSession({ subs: [subOf(1, type)] })
    const publisher = await world.openSession()
    publisher.send(pubLine(1, type, 1))
    await reader.count(1)
    reader.send(`ack ${(reader.offsets[0] ?? 0) + 1_000_000}`)
    await reader.closedWith(4409, 'ack offset')
    const fresh = await world.openSession()
    fresh.send('ack 9007199254740991')
    await fresh.closedWith(4409, 'ack offset')
  },
}

const OTHERS = 1_500

const marks: HubCase = {
  id: 'W74',
  level: 'MUST',
  title: 'marks how far it is when many events of others have passed, and takes an ack of that',
  async run(world) {
    const reader = await world.openSession({ subs: [subOf(1, world.type('mine'))] })
    const publisher = await world.openSession()
    for (let from = 1; from <= OTHERS; from += 250) {
      publisher.send(...pubLines(from, from + 249, world.type('others')))
      await publisher.ok(from + 249)
    }
    const marked = Number((await reader.line('mark ')).slice('mark '.length))
    const { welcome } = await world.openSession()
    assert.ok(marked > reader.welcome.head && marked <= welcome.head, `mark ${marked}`)
    reader.send(`ack ${marked}`)
    publisher.send(pubLine(OTHERS + 1, world.type('mine'), 'mine'))
    await reader.payload('mine')
    assert.ok((reader.offsets[0] ?? 0) > marked)
    reader.send(`ack ${reader.offsets[0]}`)
  },
}

const rises: HubCase = {
  id: 'W75',
  level: 'MUST',
  title: 'tells nothing that falls: offsets of ev, mark and gap rise on one link',
  async run(world) {
    const [mine, others] = [world.type('mine'), world.type('others')]
    const reader = await world.reader(mine)
    const publisher = await world.openSession()
    let n = 0
    for (let round = 0; round < 5; round++) {
      const lines = Array.from({ length: 300 }, () => pubLine(++n, others, 0))
      publisher.send(...lines, pubLine(++n, mine, n))
      reader.send(`sub ${round + 2} ${world.type(`more${round}`)} alo`)
    }
    await reader.payload(n)
    const told = reader.lines.flatMap((line) => {
      const found = /^(?:ev|rv|mark|gap \d+) (\d+)/.exec(line)
      return found === null ? [] : [Number(found[1])]
    })
    assert.deepEqual(
      told.filter((offset, i) => offset <= (told[i - 1] ?? -1)),
      [],
    )
  },
}

/** What an acknowledgement does. */
export const ACKNOWLEDGING: HubCaseGroup = Object.freeze({
  title: 'Acknowledging',
  cases: [windowOfEvents, windowOfBytes, lowerAck, beyond, marks, rises],
})

const waits: HubCase = {
  id: 'W91',
  level: 'MUST',
  title: 'holds events and their confirmations while a full log keeps what a subscriber needs',
  needs: SMALL_LOG,
  async run(world) {
    const type = world.type('a')
    const most = world.options.settings?.logEvents ?? 0
    const reader = await world.openSession({ subs: [subOf(1, type)] })
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, most + 10, type))
    await reader.count(most)
    await world.waiting.quiet()
    assert.ok(
      publisher.oks.every((ok) => ok <= most),
      `${most} events fit, ok ${publisher.oks.at(-1)}`,
    )
    reader.acknowledgesAtOnce = true
    reader.send(`ack ${reader.offsets[20]}`)
    await publisher.ok(most + 10)
    await reader.count(most + 10)
    assert.deepEqual(reader.linesOf('gap'), [])
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
    'gives up a subscriber that settles nothing for holdMs, and reports what it missed as "slow"',
  needs: HOLDING,
  async run(world) {
    const type = world.type('a')
    const count = 2 * (world.options.settings?.logEvents ?? 0)
    const window = { events: 5, bytes: 1_000_000 }
    const reader = await world.openSession({ subs: [subOf(1, type)], window })
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, count, type))
    await publisher.ok(count)
    reader.acknowledgesAtOnce = true
    reader.send(`ack ${reader.offsets[4]}`)
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
