/** Cases about what a transport says of itself: capabilities, health, and calls that it does not support. */
import assert from 'node:assert/strict'
import { createEvent, type Health, type Transport, type Undeliverable } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'
import type { World } from '../../world/world.ts'
import { KeepingSink } from '../../case-tools/receiving.ts'

export const manifest: ConformanceCase = {
  id: 'A1',
  level: 'MUST',
  title: 'capabilities are frozen, the same on every instance, and survive JSON',
  async run(world) {
    const [one, two] = [world.transport(), world.transport()]
    await world.all([one.connect(), two.connect()], 'both to connect')
    assert.deepEqual(one.capabilities, world.capabilities)
    assert.deepEqual(two.capabilities, world.capabilities)
    assert.deepEqual(JSON.parse(JSON.stringify(one.capabilities)), one.capabilities)
    assert.ok(isDeeplyFrozen(one.capabilities), 'capabilities are frozen to the bottom')
    assert.equal(one.name, two.name, 'every instance has the name of its kind')
  },
}

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen)
}

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
    assert.deepEqual(up.reasons, [], 'no reasons when up')
    assert.equal(up.queue?.size, 0, 'it reports the depth of the queue')
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

export const unclaimed: ConformanceCase = {
  id: 'A2',
  level: 'MUST',
  title: 'what is not promised is refused with UnsupportedError and has no effect; what is, works',
  async run(world) {
    const transport = world.transport()
    await world.soon(transport.connect(), 'to connect')
    const inbox = await world.collect(world.bus(), 'a')
    const expected: unknown[] = []
    if (await takesAtLeastOnce(world, transport)) expected.push('at least once')
    await takesWildcards(world, transport)
    await refusesBytes(world, transport)
    await world.soon(transport.publish(createEvent('a', 'plain')), 'a plain publish')
    await inbox.gets([...expected, 'plain'])
  },
}

/** Publish, emit and subscribe can each ask for it. `true`: it was published. */
async function takesAtLeastOnce(world: World, transport: Transport): Promise<boolean> {
  const delivery = 'at-least-once'
  const event = createEvent('a', 'at least once')
  if (world.capabilities.delivery === delivery) {
    await world.soon(transport.publish(event, { delivery }), 'a publish at least once')
    return true
  }
  const unsupported = { code: 'unsupported', outcome: 'not-sent' } as const
  await world.rejects(transport.publish(event, { delivery }), unsupported, 'publish')
  await world.rejects(subscribed(transport, 'a', { delivery }), unsupported, 'subscribe')
  const lost: Undeliverable[] = []
  transport.on('undeliverable', (undeliverable) => void lost.push(undeliverable))
  transport.emit(event, { delivery })
  await world.until(() => lost.length > 0, 'a refused emit to be reported')
  // A transport made of several may report it once for each.
  for (const { event: given, error } of lost) {
    assert.equal(given?.id, event.id)
    assert.equal((error as { code?: string }).code, 'unsupported')
  }
  return false
}

async function takesWildcards(world: World, transport: Transport): Promise<void> {
  const live = subscribed(transport, 'b.*', {})
  if (world.capabilities.wildcards) await world.soon(live, 'a pattern to be subscribed')
  else await world.rejects(live, { code: 'unsupported', outcome: 'not-sent' }, 'a pattern')
}

/** Bytes are refused either as beyond the promise or as what the codec cannot write, but never sent as something else. */
async function refusesBytes(world: World, transport: Transport): Promise<void> {
  if (world.capabilities.binary) return
  const published = transport.publish(createEvent('a', new Uint8Array([1, 2, 3])))
  await assert.rejects(world.soon(published, 'bytes to be refused'), (error: object) => {
    const { code, outcome } = error as { code?: string; outcome?: string }
    assert.ok(code === 'unsupported' || code === 'serialization', `refused, not ${code}`)
    assert.equal(outcome, 'not-sent')
    return true
  })
}

/** A transport may refuse by throwing or through `live`. */
async function subscribed(
  transport: Transport,
  pattern: string,
  options: Parameters<Transport['subscribe']>[2],
): Promise<void> {
  await transport.subscribe([pattern], new KeepingSink(), options).live
}
