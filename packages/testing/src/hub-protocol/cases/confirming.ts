/** Cases about confirming: what an `ok` means, and how much may be without one. */
import assert from 'node:assert/strict'
import {
  CONFIRMED_BY_HUB,
  CONFIRMED_BY_SUBSCRIBERS,
  type HubCase,
  type HubCaseGroup,
  RATE,
} from '../hub-case.ts'
import { pubLine, pubLines, subOf } from '../lines.ts'

const confirmedByTheHub: HubCase = {
  id: 'W42',
  level: 'MUST',
  title: 'confirms as soon as an event is in the log, whatever its subscribers do',
  needs: CONFIRMED_BY_HUB,
  async run(world) {
    await world.openSession({ subs: [subOf(1, world.type('a'))] })
    const publisher = await world.openSession()
    publisher.send(pubLine(1, world.type('a'), 1))
    await publisher.ok(1)
  },
}

const confirmedBySubscribers: HubCase = {
  id: 'W43',
  level: 'MUST',
  title: 'confirms when every at-least-once subscriber has settled an event, and not before',
  needs: CONFIRMED_BY_SUBSCRIBERS,
  async run(world) {
    const type = world.type('a')
    const slow = await world.openSession({ subs: [subOf(1, type)] })
    await world.openSession({ subs: [subOf(1, type, 'amo')] })
    const quick = await world.reader(type)
    const publisher = await world.openSession()
    publisher.send(...pubLines(1, 2, type))
    await quick.count(2)
    await slow.count(2)
    await world.waiting.quiet()
    // A hub that delays confirmations reports it from time to time.
    assert.ok(publisher.oks.every((ok) => ok === 0))
    slow.send(`ack ${slow.offsets[0]}`)
    await publisher.ok(1)
    assert.equal(publisher.oks.at(-1), 1)
    slow.send('unsub 1')
    await publisher.ok(2)
  },
}

const publisherWindow: HubCase = {
  id: 'W44',
  level: 'MUST',
  title: 'closes with 4409 "pub window" when more than the window is not confirmed',
  needs: CONFIRMED_BY_SUBSCRIBERS,
  async run(world) {
    const type = world.type('a')
    const reader = await world.openSession({ subs: [subOf(1, type)] })
    const publisher = await world.openSession()
    const { events } = publisher.welcome.limits.window
    for (let from = 1; from <= events; from += 1_000) {
      publisher.send(...pubLines(from, Math.min(events, from + 999), type))
    }
    await publisher.settled()
    assert.equal(publisher.closed, undefined)
    publisher.send(pubLine(events + 1, type, 'one too many'))
    await publisher.closedWith(4409, 'pub window')
    reader.send('unsub 1')
  },
}

const saysThatItWaits: HubCase = {
  id: 'W46',
  level: 'MUST',
  title: 'repeats its ok, at least every okMs of the welcome, while numbers wait for theirs',
  needs: CONFIRMED_BY_SUBSCRIBERS,
  async run(world) {
    const type = world.type('a')
    const reader = await world.openSession({ subs: [subOf(1, type)] })
    const publisher = await world.openSession()
    const { okMs } = publisher.welcome.limits
    // A hub that does not promise it has no such member.
    if (okMs === undefined) return
    assert.ok(okMs > 0)
    publisher.send(...pubLines(1, 2, type))
    await publisher.line('ok 0')
    reader.send(`ack ${reader.offsets[0]}`)
    await publisher.ok(1)
    await world.waiting.until(() => publisher.oks.filter((ok) => ok === 1).length > 1, 'ok 1 again')
    reader.send(`ack ${reader.offsets[1]}`)
    await publisher.ok(2)
  },
}

const rate: HubCase = {
  id: 'W45',
  level: 'MUST',
  title: 'refuses with "no … rate" what is more than a connection may publish in a second',
  needs: RATE,
  async run(world) {
    const most = world.options.settings?.publishPerSecond ?? 0
    const publisher = await world.openSession()
    // More become available while these are sent.
    const count = 3 * Math.ceil(most) + 10
    publisher.send(...pubLines(1, count, world.type('a')))
    await publisher.ok(count)
    const refused = publisher.linesOf('no')
    assert.ok(refused.length > 0 && refused.every((line) => line.endsWith(' rate')))
    assert.ok(count - refused.length >= Math.floor(most), `${refused.length} were refused`)
  },
}

/** What a publisher waits for. */
export const CONFIRMING: HubCaseGroup = Object.freeze({
  title: 'Confirming',
  cases: [confirmedByTheHub, confirmedBySubscribers, publisherWindow, saysThatItWaits, rate],
})
