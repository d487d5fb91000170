/** Cases about access and closing: credentials, permissions, `auth` and `bye`. */
import assert from 'node:assert/strict'
import {
  BAD_TOKEN,
  type HubCase,
  type HubCaseGroup,
  LIMITED,
  OTHER_TOKEN,
  TOKEN,
  TOKEN_REQUIRED,
} from '../hub-case.ts'
import type { HubWorld } from '../hub-world.ts'
import { helloLine, pubLine, subOf } from '../lines.ts'
import type { HubCredentials } from '../options.ts'

function credentials({ options }: HubWorld): HubCredentials {
  return options.credentials ?? { token: '' }
}

const bye: HubCase = {
  id: 'W130',
  level: 'MUST',
  title: 'closes with 1000 when it is told bye, with a number or a short code',
  async run(world) {
    for (const code of ['1000', '4000', '"going-home"']) {
      const client = await world.openSession()
      client.send(`bye {"code":${code}}`)
      await client.closedWith(1000)
    }
  },
}

const byeComesLast: HubCase = {
  id: 'W131',
  level: 'MUST',
  title: 'heeds what stands before a bye, and nothing behind it',
  async run(world) {
    const type = world.type('a')
    const reader = await world.reader(type)
    const client = await world.openSession()
    client.send(pubLine(1, type, 1), 'bye {"code":1000}', pubLine(2, type, 2))
    await client.closedWith(1000)
    const publisher = await world.openSession()
    publisher.send(pubLine(1, type, 'last'))
    await reader.payload('last')
    assert.deepEqual(reader.payloads, [1, 'last'])
  },
}

const answersClose: HubCase = {
  id: 'W132',
  level: 'MUST',
  title: 'answers a close frame with the same code',
  async run(world) {
    for (const code of [1000, 1001, 3000, 4999]) {
      const client = await world.openSession()
      client.close(code)
      await client.closedWith(code)
    }
  },
}

const answersPings: HubCase = {
  id: 'W133',
  level: 'MUST',
  title: 'answers a ping with a pong of the same payload',
  async run(world) {
    const client = await world.openSession()
    for (const payload of ['', 'x', 'y'.repeat(125)]) {
      assert.equal(await client.ping(payload), payload)
    }
  },
}

const badToken: HubCase = {
  id: 'W134',
  level: 'MUST',
  title: 'closes with 4401 "unauthorized" for a hello whose token is not good, without a welcome',
  needs: BAD_TOKEN,
  async run(world) {
    const client = await world.dial()
    client.send(helloLine({ token: credentials(world).bad ?? '' }))
    await client.closedWith(4401, 'unauthorized')
    assert.deepEqual(client.lines, [])
  },
}

const noToken: HubCase = {
  id: 'W135',
  level: 'MUST',
  title: 'closes with 4401 "unauthorized" for a hello without a token where one is required',
  needs: TOKEN_REQUIRED,
  async run(world) {
    const client = await world.dial()
    client.send(helloLine())
    await client.closedWith(4401, 'unauthorized')
  },
}

const tokenInHeader: HubCase = {
  id: 'W136',
  level: 'MUST',
  title: 'takes a token in the Authorization header of the handshake',
  needs: TOKEN,
  async run(world) {
    const client = await world.dial({ authorization: `Bearer ${credentials(world).token}` })
    client.send(helloLine())
    await client.line('welcome ')
  },
}

const badHeader: HubCase = {
  id: 'W137',
  level: 'MUST',
  title: 'answers 401 to a handshake whose token is not good',
  needs: BAD_TOKEN,
  async run(world) {
    const { head } = await world.handshake([
      'Sec-WebSocket-Protocol: bus.v1',
      `Authorization: Bearer ${credentials(world).bad}`,
    ])
    assert.match(head, /^HTTP\/1\.1 401 /)
  },
}

const renews: HubCase = {
  id: 'W138',
  level: 'MUST',
  title: 'takes an auth with a token that is good, and does not answer it',
  needs: TOKEN,
  async run(world) {
    const type = world.type('a')
    const client = await world.openSession()
    client.send(`auth ${JSON.stringify({ token: credentials(world).token })}`)
    client.send(pubLine(1, type, 1))
    await client.ok(1)
    await client.settled()
    assert.deepEqual(client.lines.slice(1), ['ok 1'])
  },
}

const badRenewal: HubCase = {
  id: 'W139',
  level: 'MUST',
  title: 'closes with 4401 "unauthorized" for an auth whose token is not good',
  needs: BAD_TOKEN,
  async run(world) {
    const client = await world.openSession()
    client.send(`auth ${JSON.stringify({ token: credentials(world).bad })}`)
    await client.closedWith(4401, 'unauthorized')
  },
}

const otherRenewal: HubCase = {
  id: 'W140',
  level: 'MUST',
  title: 'closes with 4403 "another principal" for an auth of somebody else',
  needs: OTHER_TOKEN,
  async run(world) {
    const client = await world.openSession()
    client.send(`auth ${JSON.stringify({ token: credentials(world).other })}`)
    await client.closedWith(4403, 'another principal')
  },
}

const mayNotPublish: HubCase = {
  id: 'W141',
  level: 'MUST',
  title:
    'refuses with "no … auth" a type that its publisher may not publish, and does not relay it',
  needs: LIMITED,
  async run(world) {
    const { token = '', mayNotPublish: type = '' } = credentials(world).limited ?? {}
    const reader = await world.reader(type)
    const client = await world.openSession({ token })
    client.send(pubLine(1, type, 'forbidden'))
    await client.ok(1)
    assert.deepEqual(client.linesOf('no'), ['1 auth'])
    const publisher = await world.openSession()
    const last = world.type('last')
    publisher.send(pubLine(1, type, last))
    await reader.payload(last)
    assert.ok(!reader.payloads.includes('forbidden'))
  },
}

const mayNotRead: HubCase = {
  id: 'W142',
  level: 'MUST',
  title: 'refuses with "subno … auth" a pattern that its subscriber may not read, in a hello too',
  needs: LIMITED,
  async run(world) {
    const { token = '', mayNotRead: pattern = '' } = credentials(world).limited ?? {}
    const client = await world.openSession({ token, subs: [subOf(1, pattern, 'amo')] })
    assert.deepEqual(client.welcome.subs, [{ id: 1, code: 'auth' }])
    client.send(`sub 2 ${pattern} amo`)
    assert.equal(await client.line('subno 2 '), 'subno 2 auth')
  },
}

/** Who gets in, and how one leaves. */
export const ACCESS: HubCaseGroup = Object.freeze({
  title: 'Access and bye',
  cases: [
    bye,
    byeComesLast,
    answersClose,
    answersPings,
    badToken,
    noToken,
    tokenInHeader,
    badHeader,
    renews,
    badRenewal,
    otherRenewal,
    mayNotPublish,
    mayNotRead,
  ],
})
