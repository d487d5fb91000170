/** Cases about malformed lines and malformed messages. */
import assert from 'node:assert/strict'
import type { HubCase, HubCaseGroup } from '../hub-case.ts'
import { pubLine, subOf } from '../lines.ts'
import type { HubWorld } from '../hub-world.ts'
import { CONTINUATION, frameBytes, TEXT } from '../raw-link.ts'

/** Each of the lines ends a link of its own with 4400 and its reason, which repeats nothing of the line. */
async function expectClosed(
  world: HubWorld,
  faults: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  for (const [reason, lines] of Object.entries(faults)) {
    for (const line of lines) {
      const client = await world.openSession()
      client.send(line)
      await client.closedWith(4400, reason)
    }
  }
}

const unknownVerbs: HubCase = {
  id: 'W110',
  level: 'MUST',
  title: 'closes with 4400 "line verb" for a verb that it does not know, and repeats nothing of it',
  run: (world) =>
    expectClosed(world, {
      'line verb': [
        'publish 1 a i {}',
        'PUB 1 a i {}',
        'ev 1 a i {}',
        'welcome {}',
        ' ',
        '\r\n',
        'é',
      ],
    }),
}

const emptyLines: HubCase = {
  id: 'W111',
  level: 'MUST',
  title: 'closes with 4400 "line empty" for an empty line, also behind a last line feed',
  run: (world) => expectClosed(world, { 'line empty': ['', '\n', 'ack 0\n', 'ack 0\n\nack 0'] }),
}

const badPublishes: HubCase = {
  id: 'W112',
  level: 'MUST',
  title: 'closes with 4400 and the field for a pub or rep that is not of its form',
  run: (world) =>
    expectClosed(world, {
      'pub fields': ['pub'],
      'pub n': [
        'pub 0 a i {}',
        'pub 01 a i {}',
        'pub -1 a i {}',
        'pub 1.0 a i {}',
        'pub 9007199254740992 a i {}',
        'pub  a i {}',
      ],
      'pub type': ['pub 1 a'],
      'pub id': ['pub 1 a ', 'pub 1 a i', `pub 1 a ${'i'.repeat(129)} {}`, 'pub 1 a ï {}'],
      'pub body': [
        'pub 1 a i []',
        'pub 1 a i {',
        'pub 1 a i  {}',
        'pub 1 a i {} ',
        'pub 1 a i {}\r',
      ],
      'rep n': ['rep x a i {}'],
      'rep body': ['rep 1 a i null'],
    }),
}

const badSubscriptions: HubCase = {
  id: 'W113',
  level: 'MUST',
  title: 'closes with 4400 and the field for a sub or unsub that is not of its form',
  run: (world) =>
    expectClosed(world, {
      'sub fields': ['sub', 'sub 1 a', 'sub 1 a alo 0 0'],
      'sub id': ['sub x a alo', 'sub 01 a alo', 'sub 9007199254740992 a alo'],
      'sub pattern': [
        'sub 1 a..b alo',
        'sub 1 >.a alo',
        'sub 1 a.b* alo',
        `sub 1 ${'a'.repeat(256)} alo`,
        `sub 1 ${'a.'.repeat(16)}a alo`,
      ],
      'sub mode': ['sub 1 a ALO', 'sub 1 a exactly-once'],
      'sub offset': ['sub 1 a alo x', 'sub 1 a alo -0'],
      'unsub fields': ['unsub', 'unsub '],
      'unsub id': ['unsub x', 'unsub 1 2'],
    }),
}

const badAcks: HubCase = {
  id: 'W114',
  level: 'MUST',
  title: 'closes with 4400 and the fault for an ack or auth that is not of its form',
  run: (world) =>
    expectClosed(world, {
      'ack fields': ['ack'],
      'ack offset': ['ack -1', 'ack 00', 'ack 0 0', 'ack 1e1'],
      'auth json': [
        'auth token',
        'auth []',
        `auth {"token":"x","m":${'['.repeat(8)}${']'.repeat(8)}}`,
      ],
      'auth shape': ['auth {}', 'auth {"token":1}', 'auth {"token":""}'],
    }),
}

const beforeAndBehind: HubCase = {
  id: 'W115',
  level: 'MUST',
  title: 'heeds the lines before a bad one, and none behind it',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const bad = await world.openSession()
    bad.send(pubLine(1, type, 1), pubLine(2, type, 2), 'nonsense', pubLine(3, type, 3))
    await bad.closedWith(4400, 'line verb')
    const publisher = await world.openSession()
    publisher.send(pubLine(1, type, 'last'))
    await reader.payload('last')
    assert.deepEqual(reader.payloads, [1, 2, 'last'])
  },
}

const onlyThatLink: HubCase = {
  id: 'W122',
  level: 'MUST',
  title: 'ends no other link because of a bad one, and shows nobody its lines',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const publisher = await world.openSession({ subs: [subOf(1, world.type('b'), 'amo')] })
    for (const line of ['nonsense', `pub x ${type} i {}`, `pub 1 ${type} i []`]) {
      const bad = await world.openSession()
      bad.send(line)
      await bad.closedWith(4400)
    }
    publisher.send(pubLine(1, type, 'still here'))
    await reader.payload('still here')
    assert.deepEqual(reader.payloads, ['still here'])
    assert.deepEqual([reader.closed, publisher.closed], [undefined, undefined])
  },
}

/** What is against the protocol. */
export const BAD_LINES: HubCaseGroup = Object.freeze({
  title: 'Bad lines',
  cases: [
    unknownVerbs,
    emptyLines,
    badPublishes,
    badSubscriptions,
    badAcks,
    beforeAndBehind,
    onlyThatLink,
  ],
})

const binary: HubCase = {
  id: 'W116',
  level: 'MUST',
  title: 'closes with 1003 "text only" for a binary message',
  async run(world) {
    const client = await world.openSession()
    client.sendBytes(Buffer.from('ack 0'))
    await client.closedWith(1003, 'text only')
  },
}

const notUtf8: HubCase = {
  id: 'W117',
  level: 'MUST',
  title: 'closes with 1007 for text that is not UTF-8',
  async run(world) {
    const link = await world.raw()
    link.send(world.hello())
    await link.line('welcome ')
    link.write(frameBytes({ opcode: TEXT, payload: Buffer.from([0x61, 0xc3, 0x28]) }))
    assert.equal((await link.closeFrame()).code, 1007)
  },
}

const oversize: HubCase = {
  id: 'W118',
  level: 'MUST',
  title: 'closes with 1009 for a message above maxLineBytes',
  async run(world) {
    const client = await world.openSession()
    client.send('x'.repeat(client.welcome.limits.maxLineBytes + 1))
    await client.closedWith(1009)
  },
}

const fragments: HubCase = {
  id: 'W119',
  level: 'MUST',
  title: 'takes a message in fragments',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const link = await world.raw()
    link.send(world.hello())
    await link.line('welcome ')
    const line = pubLine(1, type, 'in pieces')
    const pieces = [line.slice(0, 3), line.slice(3, 20), line.slice(20)]
    for (const [i, payload] of pieces.entries()) {
      const opcode = i === 0 ? TEXT : CONTINUATION
      link.write(frameBytes({ opcode, payload, isFinal: i === pieces.length - 1 }))
    }
    await reader.payload('in pieces')
  },
}

const endlessFragments: HubCase = {
  id: 'W120',
  level: 'SHOULD',
  title: 'closes with 1008 for a message of more than 1,024 fragments',
  async run(world) {
    const link = await world.raw()
    link.send(world.hello())
    await link.line('welcome ')
    for (let i = 0; i < 1_100; i++) {
      link.write(
        frameBytes({ opcode: i === 0 ? TEXT : CONTINUATION, payload: 'x', isFinal: false }),
      )
    }
    assert.equal((await link.closeFrame()).code, 1008)
  },
}

const unmasked: HubCase = {
  id: 'W121',
  level: 'MUST',
  title: 'closes with 1002 for a frame without a mask',
  async run(world) {
    const link = await world.raw()
    link.write(frameBytes({ opcode: TEXT, payload: world.hello(), isMasked: false }))
    assert.equal((await link.closeFrame()).code, 1002)
    await link.ended()
  },
}

/** What is not read line by line. */
export const BAD_MESSAGES: HubCaseGroup = Object.freeze({
  title: 'Messages and frames',
  cases: [binary, notUtf8, oversize, fragments, endlessFragments, unmasked],
})
