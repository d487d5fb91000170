/** Cases about fidelity: payloads, bytes and metadata arrive as they were published. */
import assert from 'node:assert/strict'
import { BINARY, type ConformanceCase } from '../../case.ts'
import { jsonValue, smaller } from '../../properties/json-values.ts'
import { forAll } from '../../properties/property.ts'
import type { World } from '../../world/world.ts'

const RUNS = 150

/** The suite does not allocate more than that for one payload. */
const LARGEST_TRIED = 32 * 1_024 * 1_024

/** Publishes, and gives what arrives. */
type Trip = (payload: unknown) => Promise<unknown>

export const payloads: ConformanceCase = {
  id: 'B10',
  level: 'MUST',
  title: 'any JSON payload arrives as it was published, and nothing in it takes effect',
  async run(world) {
    const trip = await trips(world)
    await forAll(Math.ceil(RUNS * world.effort), world.random, {
      generate: (random) => jsonValue(random),
      smaller,
      async check(value) {
        assert.deepEqual(await trip(value), JSON.parse(JSON.stringify(value)))
      },
    })
    assert.deepEqual(await trip({ at: new Date(0) }), { at: '1970-01-01T00:00:00.000Z' })
    const inert = await trip(JSON.parse('{"__proto__":{"polluted":1}}'))
    assert.equal(Object.getPrototypeOf(inert), Object.prototype, '`__proto__` is a mere member')
    assert.equal(({} as { polluted?: unknown }).polluted, undefined, 'no prototype is changed')
    await loneSurrogate(world, trip)
  },
}

/** Half of a character is no text: it is refused, or arrives as it is. */
async function loneSurrogate(world: World, trip: Trip): Promise<void> {
  const half = '\ud83d'
  try {
    assert.equal(await trip(half), half)
  } catch (error) {
    const { code } = error as { code?: string }
    if (code !== 'serialization') throw error
  }
  await world.quiet()
}

export const bytes: ConformanceCase = {
  id: 'B11',
  level: 'MUST',
  title: 'bytes arrive as bytes: views, empty ones, and up to the largest payload',
  needs: BINARY,
  async run(world) {
    const trip = await trips(world)
    const all = Uint8Array.from({ length: 256 }, (_, n) => n)
    for (const sent of [all, all.subarray(100, 200), new Uint8Array(0)]) {
      const arrived = await trip(sent)
      assert.ok(arrived instanceof Uint8Array, 'bytes arrive as bytes')
      assert.deepEqual([...arrived], [...sent])
    }
    const { maxPayload } = world.capabilities
    if (maxPayload > LARGEST_TRIED) return
    await world.rejects(
      world.bus().publish('a', new Uint8Array(maxPayload + 1)),
      { code: 'too-large', outcome: 'not-sent' },
      'more than maxPayload',
    )
  },
}

/** Metadata that an application may attach: names in any case, nested values, other alphabets. */
const ATTRIBUTES = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
  'X-Mixed-Case': 'Kept',
  zuletzt: 'ß 日本 😀',
  aaa: { nested: [1, null, true] },
  empty: '',
}

export const attributes: ConformanceCase = {
  id: 'B13',
  level: 'SHOULD',
  title: 'metadata arrives untouched: names, case, order, other alphabets, traceparent',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inbox = await world.collect(receiver, 'a')
    const known = { timestamp: 1_700_000_000_123, source: 'shop/ü', correlationId: 'c 1' }
    const metadata = { id: 'event-1', ...known, ...ATTRIBUTES }
    await world.soon(sender.publish('a', 1, { metadata }), 'a publish')
    await inbox.count(1)
    const arrived = inbox.events[0]?.metadata ?? {}
    assert.deepEqual(arrived, { ...known, ...ATTRIBUTES })
    const names = Object.keys(arrived).filter((name) => name in ATTRIBUTES)
    assert.deepEqual(names, Object.keys(ATTRIBUTES), 'in the order published')
  },
}

/** One event after the other from one client to another. */
async function trips(world: World): Promise<Trip> {
  const [sender, receiver] = [world.bus(), world.bus()]
  const inbox = await world.collect(receiver, 'trip')
  return async (payload) => {
    const before = inbox.events.length
    await world.soon(sender.publish('trip', payload), 'a publish')
    await world.until(() => inbox.events.length > before, 'the event')
    return inbox.events[before]?.payload
  }
}
