/** Cases about hello and welcome: the first line of each side, and versions. */
import assert from 'node:assert/strict'
import { HELLO_MS, type HubCase, type HubCaseGroup } from '../hub-case.ts'
import { pubLine, subOf } from '../lines.ts'

const NAME = /^[A-Za-z0-9_-]{1,64}$/

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

const welcomeForm: HubCase = {
  id: 'W10',
  level: 'MUST',
  title: 'answers a hello with a welcome that has every member',
  async run(world) {
    const { welcome, lines } = await world.openSession()
    assert.equal(lines.length, 1)
    assert.match(welcome.sid, NAME)
    assert.match(welcome.epoch, NAME)
    assert.equal(typeof welcome.resumed, 'boolean')
    const { limits, heartbeatMs, head, last } = welcome
    const { maxEventBytes, maxLineBytes, window, ackMs } = limits
    for (const count of [head, last, maxEventBytes, maxLineBytes, ackMs, heartbeatMs]) {
      assert.ok(isCount(count), `Expected a number in ${JSON.stringify(welcome)}`)
    }
    assert.ok(window.events > 0 && window.bytes > 0 && maxEventBytes > 0)
    for (const list of [welcome.refused, welcome.subs, welcome.gaps]) assert.ok(Array.isArray(list))
  },
}

const newSession: HubCase = {
  id: 'W11',
  level: 'MUST',
  title: 'begins a new session with nothing confirmed, refused or missing',
  async run(world) {
    const { welcome } = await world.openSession()
    const { resumed, last, refused, subs, gaps } = welcome
    assert.deepEqual(
      { resumed, last, refused, subs, gaps },
      { resumed: false, last: 0, refused: [], subs: [], gaps: [] },
    )
  },
}

const ownSessions: HubCase = {
  id: 'W12',
  level: 'MUST',
  title: 'gives each client a session of its own, all in one log',
  async run(world) {
    const clients = [
      await world.openSession(),
      await world.openSession(),
      await world.openSession(),
    ]
    const welcomes = clients.map(({ welcome }) => welcome)
    assert.equal(new Set(welcomes.map(({ sid }) => sid)).size, 3)
    assert.equal(new Set(welcomes.map(({ epoch }) => epoch)).size, 1)
  },
}

const headOfTheLog: HubCase = {
  id: 'W13',
  level: 'MUST',
  title: 'tells the offset of the newest event as head',
  async run(world) {
    const reader = await world.reader(world.type('a'))
    const publisher = await world.openSession()
    publisher.send(pubLine(1, world.type('a'), 1))
    await reader.count(1)
    const { welcome } = await world.openSession()
    assert.ok(welcome.head >= (reader.offsets[0] ?? Infinity), `head is ${welcome.head}`)
    assert.ok((reader.offsets[0] ?? 0) > reader.welcome.head)
  },
}

const answersSubs: HubCase = {
  id: 'W14',
  level: 'MUST',
  title: 'tells for each subscription of a hello where it begins: now',
  async run(world) {
    const subs = [subOf(7, world.type('a')), subOf(3, world.type('*'), 'amo')]
    const { welcome } = await world.openSession({ subs })
    assert.deepEqual(
      welcome.subs.map(({ id }) => id).toSorted((a, b) => a - b),
      [3, 7],
    )
    for (const { offset } of welcome.subs) assert.equal(offset, welcome.head)
  },
}

const refusesWildPatterns: HubCase = {
  id: 'W15',
  level: 'MUST',
  title: 'refuses a pattern with more than four * in a hello, and takes the others',
  async run(world) {
    const subs = [subOf(1, '*.*.*.*.*'), subOf(2, world.type('a'))]
    const { welcome } = await world.openSession({ subs })
    assert.equal(welcome.subs.find(({ id }) => id === 1)?.code, 'pattern')
    assert.ok(isCount(welcome.subs.find(({ id }) => id === 2)?.offset))
  },
}

const unknownMembers: HubCase = {
  id: 'W16',
  level: 'MUST',
  title: 'ignores members of a hello that it does not know',
  async run(world) {
    const { welcome } = await world.openSession({ later: { deep: [1, { x: null }] }, V: 2 })
    assert.equal(welcome.resumed, false)
  },
}

const versions: HubCase = {
  id: 'W17',
  level: 'MUST',
  title: 'closes with 4400 "hello version" for any version but 1',
  async run(world) {
    for (const v of ['2', '0', '"1"', 'null', '1.5', '[1]']) {
      const client = await world.dial()
      client.send(`hello {"v":${v},"subs":[]}`)
      await client.closedWith(4400, 'hello version')
      assert.deepEqual(client.lines, [])
    }
    const client = await world.dial()
    client.send('hello {"subs":[]}')
    await client.closedWith(4400, 'hello version')
  },
}

const helloComesFirst: HubCase = {
  id: 'W18',
  level: 'MUST',
  title: 'closes with 4400 "<verb> first" when anything comes before the hello',
  async run(world) {
    const lines = {
      pub: pubLine(1, world.type('a'), 1),
      rep: pubLine(1, world.type('a'), 1, 'rep'),
      sub: `sub 1 ${world.type('a')} alo`,
      unsub: 'unsub 1',
      ack: 'ack 0',
      auth: 'auth {"token":"x"}',
      bye: 'bye {"code":1000}',
    }
    for (const [verb, line] of Object.entries(lines)) {
      const client = await world.dial()
      client.send(line)
      await client.closedWith(4400, `${verb} first`)
      assert.deepEqual(client.lines, [])
    }
  },
}

const helloIsJson: HubCase = {
  id: 'W19',
  level: 'MUST',
  title: 'closes with 4400 "hello json" for JSON that is none, no object, or too deep',
  async run(world) {
    const deep = `{"v":1,"subs":[],"more":${'['.repeat(8)}${']'.repeat(8)}}`
    for (const json of ['{', '[]', 'null', '"x"', '{"v":1,"subs":[]', deep]) {
      const client = await world.dial()
      client.send(`hello ${json}`)
      await client.closedWith(4400, 'hello json')
    }
  },
}

const BAD_MEMBERS = [
  '"subs":{}',
  '"subs":[null]',
  '"subs":[{"id":1,"pattern":"a"}]',
  '"subs":[{"id":"1","pattern":"a","mode":"alo"}]',
  '"subs":[{"id":1,"pattern":"a b","mode":"alo"}]',
  '"subs":[{"id":1,"pattern":"a","mode":"x"}]',
  '"subs":[{"id":1,"pattern":"a","mode":"alo","from":-1}]',
  '"subs":[{"id":1,"pattern":"a","mode":"alo"},{"id":1,"pattern":"b","mode":"alo"}]',
  '"subs":[],"sid":""',
  '"subs":[],"sid":"a b"',
  '"subs":[],"epoch":1',
  '"subs":[],"offset":-1',
  '"subs":[],"offset":1.5',
  '"subs":[],"offset":null',
  '"subs":[],"offset":9007199254740992',
  '"subs":[],"token":""',
  '"subs":[],"window":{"events":0,"bytes":1}',
  '"subs":[],"window":{"events":1}',
  '"subs":[],"maxMessageBytes":0',
]

const helloShape: HubCase = {
  id: 'W20',
  level: 'MUST',
  title: 'closes with 4400 "hello shape" for a member that is missing or of the wrong form',
  async run(world) {
    for (const members of ['"sid":"x"', ...BAD_MEMBERS]) {
      const client = await world.dial()
      client.send(`hello {"v":1,${members}}`)
      await client.closedWith(4400, 'hello shape')
    }
  },
}

const onlyOneHello: HubCase = {
  id: 'W21',
  level: 'MUST',
  title: 'closes with 4400 "hello again" for a second hello',
  async run(world) {
    const client = await world.openSession()
    client.send(world.hello())
    await client.closedWith(4400, 'hello again')
  },
}

const helloInTime: HubCase = {
  id: 'W22',
  level: 'MUST',
  title: 'closes with 4408 "hello" when none comes in time, and not when one did',
  needs: HELLO_MS,
  async run(world) {
    const greeted = await world.openSession()
    const silent = await world.dial()
    await silent.closedWith(4408, 'hello')
    assert.equal(greeted.closed, undefined)
  },
}

const waitsForWelcome: HubCase = {
  id: 'W23',
  level: 'SHOULD',
  title: 'closes with 4400 "<verb> early" for a line behind the hello and before the welcome',
  async run(world) {
    const client = await world.dial()
    client.send(world.hello(), pubLine(1, world.type('a'), 1))
    await client.closedWith(4400, 'pub early')
  },
}

/** The first line of each side. */
export const HELLO: HubCaseGroup = Object.freeze({
  title: 'Hello and welcome',
  cases: [
    welcomeForm,
    newSession,
    ownSessions,
    headOfTheLog,
    answersSubs,
    refusesWildPatterns,
    unknownMembers,
    versions,
    helloComesFirst,
    helloIsJson,
    helloShape,
    onlyOneHello,
    helloInTime,
    waitsForWelcome,
  ],
})
