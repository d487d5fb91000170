/** Messages and frames that are against the protocol, whatever their lines are. */
import assert from 'node:assert/strict'
import type { HubCase, HubCaseGroup } from '../hub-case.ts'
import { pubLine } from '../lines.ts'
import { CONTINUATION, TEXT, frameBytes } from '../raw-link.ts'

const binary: HubCase = {
  id: 'W116',
  level: 'MUST',
  title: 'closes with 1003 "text only" for a binary message',
  async run(world) {
    const client = await world.greet()
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
    link.say(world.hello())
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
    const client = await world.greet()
    client.say('x'.repeat(client.welcome.limits.maxLineBytes + 1))
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
    link.say(world.hello())
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
    link.say(world.hello())
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
