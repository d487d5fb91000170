/** The case about invalid arguments: each is rejected with a typed error. */
import assert from 'node:assert/strict'
import { createEvent, type Bus, type BusErrorCode, type Event, type Undeliverable } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'
import type { World } from '../../world/world.ts'

/** Above it a payload that is too large would cost more memory than a test may take. */
const LARGEST_TRIED = 32 * 1_024 * 1_024

const BAD_TYPES = ['', 'a b', 'a..b', '.a', 'a.', 'a.*', '>', 'ä', 'a/b', 'x'.repeat(256)]
const BAD_PATTERNS = ['', 'a..b', 'a.>.b', 'a*', '**', 'a b']

export const badArguments: ConformanceCase = {
  id: 'A8',
  level: 'MUST',
  title: 'bad arguments reject with typed errors, never throw, and do not affect the connection',
  async run(world) {
    const [bus, receiver] = [world.bus(), world.bus()]
    const inbox = await world.collect(receiver, 'a')
    await world.soon(bus.connect(), 'to connect')
    const { status } = bus
    for (const type of BAD_TYPES) await refuses(world, () => bus.publish(type, 1), 'config', type)
    for (const pattern of BAD_PATTERNS) {
      await refuses(world, () => bus.subscribe(pattern, () => {}), 'config', pattern)
    }
    await refusesEvents(world, bus)
    await refusesOptions(world, bus)
    await refusesWhatIsNoEvent(world)
    assert.doesNotThrow(() => bus.emit('a b', 1), 'emit never throws')
    assert.doesNotThrow(() => bus.emit('a', cycle()), 'emit never throws')
    assert.equal(bus.status, status, 'the link is the same as before')
    await world.soon(bus.publish('a', 'good'), 'a good publish')
    await inbox.gets(['good'])
  },
}

/** As a promise, also where the mistake could be seen at once. */
async function refuses(
  world: World,
  call: () => Promise<unknown>,
  code: BusErrorCode,
  what: string,
): Promise<void> {
  let promise: Promise<unknown>
  try {
    promise = call()
  } catch (error) {
    return assert.fail(`${what} was thrown instead of rejected: ${String(error)}`)
  }
  await world.rejects(promise, { code }, what)
}

async function refusesEvents(world: World, bus: Bus): Promise<void> {
  await refuses(world, () => bus.publish('a', 1, { metadata: { id: 'a b' } }), 'config', 'an id')
  // No reader could decode it, so nothing may be confirmed.
  const numeric = { correlationId: 4711 as never }
  await refuses(world, () => bus.publish('a', 1, { metadata: numeric }), 'config', 'a number')
  await refuses(
    world,
    () => bus.publish({ ...createEvent('a', 1), type: 'a b' }),
    'config',
    'event',
  )
  await refuses(world, () => bus.publish('a', cycle()), 'serialization', 'a cycle')
  await refuses(world, () => bus.publish('a', 1n), 'serialization', 'a BigInt')
  await refuses(world, () => bus.publish('a', throwing()), 'serialization', 'a throwing toJSON')
  const { maxPayload } = world.capabilities
  if (maxPayload > LARGEST_TRIED) return
  const large = 'x'.repeat(maxPayload)
  await refuses(world, () => bus.publish('a', large), 'too-large', 'more than maxPayload')
}

/** A middleware or an application may make events by hand: what breaks a line of the wire must not get there. */
async function refusesWhatIsNoEvent(world: World): Promise<void> {
  const transport = world.transport()
  const inbox = await world.collect(world.bus(), 'by-hand')
  await world.soon(transport.connect(), 'to connect')
  const { status } = transport
  const notices: Undeliverable[] = []
  transport.on('undeliverable', (notice) => notices.push(notice))
  const sound: Event = createEvent('by-hand', 'sound')
  const none = [
    { ...sound, type: 'a b' },
    { ...sound, type: 'a\nb' },
    { ...sound, id: 'a b' },
    { ...sound, id: '\u00e4' },
  ]
  for (const event of none) {
    const what = `the event ${JSON.stringify(event)}`
    await refuses(world, () => transport.publish(event), 'config', what)
    const before = notices.length
    assert.doesNotThrow(() => transport.emit(event), 'emit never throws')
    await world.until(() => notices.length > before, `${what} to be reported`)
    assert.equal(notices.at(-1)?.reason, 'rejected')
  }
  const changed = { ...sound }
  const published = transport.publish(changed)
  changed.type = 'b'
  await world.soon(published, 'an event made by hand to be published')
  await inbox.gets(['sound'])
  assert.equal(transport.status, status, 'the link is the same as before')
}

async function refusesOptions(world: World, bus: Bus): Promise<void> {
  const handler = (): void => {}
  const subscribe = (options: object): (() => Promise<unknown>) => {
    return () => bus.subscribe('a', handler, options)
  }
  await refuses(world, subscribe({ concurrency: 0 }), 'config', 'concurrency 0')
  await refuses(world, subscribe({ queue: { capacity: 0 } }), 'config', 'capacity 0')
  await refuses(world, subscribe({ concurency: 1 }), 'config', 'an option that is none')
  await refuses(world, () => bus.subscribe('a', undefined as never), 'config', 'no handler')
  await refuses(world, () => bus.unsubscribe('unknown'), 'unknown-subscription', 'an unknown id')
}

function cycle(): object {
  const value: { self?: object } = {}
  value.self = value
  return value
}

function throwing(): object {
  return {
    toJSON: () => {
      throw new Error('no')
    },
  }
}
