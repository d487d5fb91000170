/** The case about `AbortSignal`: it ends every wait. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import type { Bus, PublishReceipt } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'
import type { World } from '../../world/world.ts'

const PUBLISHES = 60

export const aborting: ConformanceCase = {
  id: 'A7',
  level: 'MUST',
  title:
    'an aborted signal ends connect, publish, subscribe, events and drain with AbortError and its reason',
  async run(world) {
    await refusesWhatIsAbortedAlready(world)
    await withdrawsWhatWaits(world)
    await endsSubscriptions(world)
  },
}

/** The error and the reason behind it. */
async function isAborted(world: World, promise: Promise<unknown>, what: string): Promise<void> {
  await assert.rejects(world.soon(promise, `${what} to reject`), (error: Error) => {
    assert.deepEqual([error.name, (error as { code?: string }).code], ['AbortError', 'aborted'])
    assert.equal((error.cause as Error | undefined)?.message, 'why', `the reason of ${what}`)
    return true
  })
}

async function refusesWhatIsAbortedAlready(world: World): Promise<void> {
  const signal = AbortSignal.abort(new Error('why'))
  const [bus, inboxBus] = [world.bus(), world.bus()]
  const inbox = await world.collect(inboxBus, 'a')
  await isAborted(world, bus.connect({ signal }), 'connect')
  await isAborted(world, bus.publish('a', 1, { signal }), 'publish')
  await isAborted(
    world,
    bus.subscribe('a', () => {}, { signal }),
    'subscribe',
  )
  await isAborted(world, bus.events('a', { signal }).next(), 'an iterator')
  await isAborted(world, bus.drain({ signal }), 'drain')
  assert.equal(bus.status.state, 'closed', 'a drain that is aborted closes')
  await inbox.gets([])
}

/** A publish that waits for room is taken back: what says `not-sent` never arrives. */
async function withdrawsWhatWaits(world: World): Promise<void> {
  const sender = world.bus({ queue: { capacity: 1, strategy: 'block' } })
  const inbox = await world.collect(world.bus(), 'a')
  await world.soon(sender.connect(), 'to connect')
  const control = new AbortController()
  const { signal } = control
  const published = Array.from({ length: PUBLISHES }, (_, n) =>
    sender.publish('a', n, isEven(n) ? {} : { signal }),
  )
  control.abort(new Error('why'))
  const results = await world.soon(Promise.allSettled(published), 'every publish to settle')
  const gone = results.flatMap((result, n) => (isNotSent(result) ? [n] : []))
  assert.ok(gone.includes(PUBLISHES - 1), 'the last, which waited for room, was taken back')
  assert.deepEqual(gone.filter(isEven), [], 'a publish without the signal goes on')
  const certain = results.flatMap((result, n) => (result.status === 'fulfilled' ? [n] : []))
  await world.until(
    () => certain.every((n) => inbox.payloads.includes(n)),
    'what was published to arrive',
  )
  await world.quiet()
  assert.deepEqual(
    inbox.payloads.filter((n) => gone.includes(n as number)),
    [],
    'what was not sent does not arrive',
  )
  assert.equal(getEventListeners(signal, 'abort').length, 0, 'no listener is left on the signal')
}

async function endsSubscriptions(world: World): Promise<void> {
  const bus = world.bus()
  const sender = world.bus()
  const control = new AbortController()
  const { signal } = control
  const inbox = await world.collect(bus, 'a', { signal })
  const next = startIterator(bus, signal)
  await world.soon(sender.publish('a', 'before'), 'a publish')
  await inbox.gets(['before'])
  control.abort(new Error('why'))
  await world.soon(inbox.subscription.closed, 'the subscription to end')
  await isAborted(world, next, 'a pending next')
  await world.soon(sender.publish('a', 'after'), 'a publish')
  await inbox.gets(['before'])
  assert.equal(getEventListeners(signal, 'abort').length, 0, 'no listener is left on the signal')
}

function startIterator(bus: Bus, signal: AbortSignal): Promise<unknown> {
  const next = bus.events('b', { signal }).next()
  next.catch(() => {})
  return next
}

function isEven(n: number): boolean {
  return n % 2 === 0
}

function isNotSent(result: PromiseSettledResult<PublishReceipt>): boolean {
  if (result.status === 'fulfilled') return false
  return (result.reason as { outcome?: string }).outcome === 'not-sent'
}
