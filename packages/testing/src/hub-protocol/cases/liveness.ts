/** Cases about liveness and floods: pings of the hub, connections that send too much, and too many connections. */
import assert from 'node:assert/strict'
import {
  CONNECTIONS,
  CONTROL_FRAMES,
  HEARTBEAT,
  type HubCase,
  type HubCaseGroup,
  MESSAGES,
} from '../hub-case.ts'
import { subOf } from '../lines.ts'
import { frameBytes, PING } from '../raw-link.ts'
import type { WireClient } from '../wire-client.ts'

/** A client that sends too much gets `bye` with a delay, and its connection is closed. */
async function expectFlood(client: WireClient, reason: string): Promise<void> {
  await client.closedWith(4429, reason)
  assert.match(client.linesOf('bye')[0] ?? '', /^\{.*"retryAfterMs":\d+.*\}$/)
}

const pings: HubCase = {
  id: 'W143',
  level: 'MUST',
  title: 'pings every heartbeatMs, and keeps a quiet link that answers',
  needs: HEARTBEAT,
  async run(world) {
    const client = await world.openSession()
    assert.equal(client.welcome.heartbeatMs, world.options.settings?.heartbeatMs)
    await world.waiting.until(() => client.pings >= 4, 'four pings')
    assert.equal(client.closed, undefined)
  },
}

const cutsSilent: HubCase = {
  id: 'W144',
  level: 'MUST',
  title: 'cuts a link that gives no sign of life for two pings, and keeps its session',
  needs: HEARTBEAT,
  async run(world) {
    const link = await world.raw()
    link.send(world.hello({ subs: [subOf(1, world.type('a'), 'amo')] }))
    await link.line('welcome ')
    const [, sid = ''] = /"sid":"([^"]+)"/.exec(link.text) ?? []
    await link.ended()
    const { welcome } = await world.openSession({ sid })
    assert.equal(welcome.resumed, true)
  },
}

const floodOfPings: HubCase = {
  id: 'W145',
  level: 'MUST',
  title: 'closes with 4429 "control frames", behind a bye, when more pings come than it takes',
  needs: CONTROL_FRAMES,
  async run(world) {
    const most = world.options.settings?.controlFramesPerSecond ?? 0
    const link = await world.raw()
    link.send(world.hello())
    await link.line('welcome ')
    const one = frameBytes({ opcode: PING })
    link.write(Buffer.concat(Array.from({ length: 3 * most + 10 }, () => one)))
    assert.deepEqual(await link.closeFrame(), { code: 4429, reason: 'control frames' })
    assert.match(link.text, /bye \{.*"retryAfterMs":\d+/)
  },
}

const floodOfMessages: HubCase = {
  id: 'W146',
  level: 'MUST',
  title: 'closes with 4429 "rate", behind a bye, when more messages come than it takes',
  needs: MESSAGES,
  async run(world) {
    const most = world.options.settings?.messagesPerSecond ?? 0
    const client = await world.openSession()
    for (let i = 0; i < 3 * most + 10; i++) client.send('ack 0')
    await expectFlood(client, 'rate')
  },
}

const tooManyLinks: HubCase = {
  id: 'W147',
  level: 'MUST',
  title: 'closes with 4429 "connections" when a principal has too many, unless one takes over',
  needs: CONNECTIONS,
  async run(world) {
    const most = world.options.settings?.connectionsPerPrincipal ?? 0
    const links: WireClient[] = []
    for (let i = 0; i < most; i++) links.push(await world.openSession())
    const extra = await world.dial()
    extra.send(world.hello())
    await expectFlood(extra, 'connections')
    const { sid, epoch } = (links[0] ?? extra).welcome
    const heir = await world.openSession({ sid, epoch })
    assert.equal(heir.welcome.resumed, true)
    await links[0]?.closedWith(4410)
  },
}

/** The cases about silent clients, and about clients that send too much. */
export const LIVENESS: HubCaseGroup = Object.freeze({
  title: 'Liveness and floods',
  cases: [pings, cutsSilent, floodOfPings, floodOfMessages, tooManyLinks],
})
