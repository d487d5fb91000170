/** Health, and the end of a block. */
import assert from 'node:assert/strict'
import type { Health, Transport } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'
import type { World } from '../../world/world.ts'

export const health: ConformanceCase = {
  id: 'A9',
  level: 'SHOULD',
  title:
    'health answers in every state without throwing, with reasons where it is not up; await using closes',
  async run(world) {
    const transport = world.transport()
    await isNotUp(world, transport)
    await world.soon(transport.connect(), 'to connect')
    const up = await untilUp(world, transport)
    assert.deepEqual(up.reasons, [], 'nothing to complain about')
    assert.equal(up.queue?.size, 0, 'it tells the depth of the queue')
    const drained = transport.drain()
    await healthOf(world, transport)
    await world.soon(drained, 'to drain')
    await isNotUp(world, transport)
    await closesAtTheEndOfABlock(world)
  },
}

function healthOf(world: World, transport: Transport): Promise<Health> {
  return world.soon(transport.health(), 'health to answer')
}

/** Several connections may become ready one after the other. */
async function untilUp(world: World, transport: Transport): Promise<Health> {
  let known = await healthOf(world, transport)
  const ask = async (): Promise<void> => {
    known = await transport.health()
  }
  await world.until(
    () => {
      void ask()
      return known.status === 'up'
    },
    'health to be up',
    () => known,
  )
  return known
}

async function isNotUp(world: World, transport: Transport): Promise<void> {
  const { status, reasons } = await healthOf(world, transport)
  assert.notEqual(status, 'up')
  assert.ok(reasons.length > 0, `${status} has a reason`)
}

async function closesAtTheEndOfABlock(world: World): Promise<void> {
  const inbox = await world.collect(world.bus(), 'a')
  const [transport, bus] = [world.transport(), world.bus()]
  {
    await using alone = transport
    await using withBus = bus
    await world.soon(alone.connect(), 'to connect')
    withBus.emit('a', 'accepted')
  }
  assert.equal(transport.status.state, 'closed')
  assert.equal(bus.status.state, 'closed')
  await inbox.gets(['accepted'])
}
