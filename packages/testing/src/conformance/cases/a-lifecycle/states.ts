/** The states of a transport, as they are told. */
import assert from 'node:assert/strict'
import type { StateName, Transport, TransportEvents } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'

export const states: ConformanceCase = {
  id: 'A3',
  level: 'MUST',
  title:
    'the states from idle over ready to closed are reported in order, each once, and agree with status',
  async run(world) {
    const transport = world.transport()
    const told: TransportEvents['status'][] = []
    const opened: TransportEvents['open'][] = []
    transport.on('status', (notice) => void told.push(notice))
    transport.on('open', (notice) => void opened.push(notice))
    assert.equal(stateOf(transport), 'idle')

    await world.soon(transport.connect(), 'to connect')
    await world.until(() => told.length > 0, 'the state to be told')
    assert.equal(stateOf(transport), 'ready')
    assert.deepEqual(told.at(-1)?.status, transport.status)
    assert.ok(Object.isFrozen(transport.status), 'a status is a fact and frozen')
    await world.soon(transport.connect(), 'a second connect to resolve')

    await world.soon(transport.close(), 'to close')
    await world.quiet()
    assert.equal(stateOf(transport), 'closed')
    assert.deepEqual(told.at(-1)?.status, transport.status)
    const names = told.map(({ status }) => status.state)
    assert.deepEqual(names, [...new Set(names)], 'each state is entered once')
    assert.deepEqual(
      told.map(({ previous }) => previous.state),
      ['idle', ...names.slice(0, -1)],
      'each notice begins where the one before ended',
    )
    // One for each link: a transport may have several.
    assert.ok(opened.length > 0, 'open is told')
    assert.ok(!opened.some(({ reconnected }) => reconnected), 'and no link was made again')
  },
}

/** Asked anew each time: the compiler would take a state that it has seen for one that stays. */
function stateOf({ status }: Transport): StateName {
  return status.state
}
