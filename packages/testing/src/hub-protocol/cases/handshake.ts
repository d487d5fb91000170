/** Cases about the handshake: how a hub agrees to `bus.v1`. */
import assert from 'node:assert/strict'
import type { HubCase, HubCaseGroup } from '../hub-case.ts'

const OFFER = 'Sec-WebSocket-Protocol: bus.v1'

/** The value of a header, in lower case; `undefined` where there is none. */
function header(head: string, name: string): string | undefined {
  const found = new RegExp(`^${name}: *(.*?) *$`, 'im').exec(head)
  return found?.[1]?.toLowerCase()
}

const accepts: HubCase = {
  id: 'W1',
  level: 'MUST',
  title: 'answers an offer of bus.v1 with 101, the subprotocol and the header bus-protocol',
  async run(world) {
    const { head } = await world.handshake([OFFER])
    assert.match(head, /^HTTP\/1\.1 101 /)
    assert.equal(header(head, 'sec-websocket-protocol'), 'bus.v1')
    assert.equal(header(head, 'bus-protocol'), 'bus.v1')
  },
}

const chooses: HubCase = {
  id: 'W2',
  level: 'MUST',
  title: 'finds bus.v1 among other subprotocols',
  async run(world) {
    const { head } = await world.handshake(['Sec-WebSocket-Protocol: chat, bus.v1, bus.v9'])
    assert.equal(header(head, 'sec-websocket-protocol'), 'bus.v1')
  },
}

const doesNotPretend: HubCase = {
  id: 'W3',
  level: 'MUST',
  title: 'does not claim bus.v1 where it was not offered',
  async run(world) {
    for (const headers of [[], ['Sec-WebSocket-Protocol: chat, bus.v2']]) {
      const { head } = await world.handshake(headers)
      assert.notEqual(header(head, 'sec-websocket-protocol'), 'bus.v1')
      assert.equal(header(head, 'bus-protocol'), undefined)
    }
  },
}

const neverCompresses: HubCase = {
  id: 'W4',
  level: 'MUST',
  title: 'never accepts compression',
  async run(world) {
    const { head } = await world.handshake([
      OFFER,
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    ])
    assert.match(head, /^HTTP\/1\.1 101 /)
    assert.equal(header(head, 'sec-websocket-extensions'), undefined)
  },
}

const noSecretsInQueries: HubCase = {
  id: 'W5',
  level: 'SHOULD',
  title: 'answers 400 to a query parameter that is named like a secret',
  async run(world) {
    const { head } = await world.handshake([OFFER], '?token=x')
    assert.match(head, /^HTTP\/1\.1 400 /)
  },
}

const waitsForHello: HubCase = {
  id: 'W6',
  level: 'MUST',
  title: 'says nothing before the hello',
  async run(world) {
    const publisher = await world.openSession()
    const silent = await world.dial()
    publisher.send(`pub 1 ${world.type('a')} id-1 {"payload":1,"metadata":{"timestamp":1}}`)
    await publisher.ok(1)
    await world.waiting.quiet()
    assert.deepEqual(silent.lines, [])
    assert.equal(silent.closed, undefined)
  },
}

/** The cases about the handshake. */
export const HANDSHAKE: HubCaseGroup = Object.freeze({
  title: 'The handshake',
  cases: [accepts, chooses, doesNotPretend, neverCompresses, noSecretsInQueries, waitsForHello],
})
