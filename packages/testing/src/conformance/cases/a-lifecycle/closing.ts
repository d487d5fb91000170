/** Cases about the states of a transport, and about closing it: in any state, repeatedly, for good, and without leftovers. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import {
  type Bus,
  createEvent,
  type StateName,
  type Transport,
  type TransportEvents,
} from '@bus/core'
import type { ConformanceCase } from '../../case.ts'
import { KeepingSink } from '../../case-tools/receiving.ts'
import type { World } from '../../world/world.ts'

export const states: ConformanceCase = {
  id: 'A3',
  level: 'MUST',
  title:
    'the states from idle over ready to closed are reported in order, each once, and agree with status',
  async run(world) {
    const transport = world.transport()
    const changes: TransportEvents['status'][] = []
    const opened: TransportEvents['open'][] = []
    transport.on('status', (notice) => void changes.push(notice))
    transport.on('open', (notice) => void opened.push(notice))
    assert.equal(stateOf(transport), 'idle')

    await world.soon(transport.connect(), 'to connect')
    await world.until(() => changes.length > 0, 'the state to be reported')
    assert.equal(stateOf(transport), 'ready')
    assert.deepEqual(changes.at(-1)?.status, transport.status)
    assert.ok(Object.isFrozen(transport.status), 'a status is a fact and frozen')
    await world.soon(transport.connect(), 'a second connect to resolve')

    await world.soon(transport.close(), 'to close')
    await world.quiet()
    assert.equal(stateOf(transport), 'closed')
    assert.deepEqual(changes.at(-1)?.status, transport.status)
    const names = changes.map(({ status }) => status.state)
    assert.deepEqual(names, [...new Set(names)], 'each state is entered once')
    assert.deepEqual(
      changes.map(({ previous }) => previous.state),
      ['idle', ...names.slice(0, -1)],
      'each notice begins where the one before ended',
    )
    // One for each link: a transport may have several.
    assert.ok(opened.length > 0, 'open is reported')
    assert.ok(!opened.some(({ reconnected }) => reconnected), 'and no link was made again')
  },
}

/** Asked anew each time: the compiler would take a state that it has seen for one that stays. */
function stateOf({ status }: Transport): StateName {
  return status.state
}

/** How a transport comes into a state, and what is under way then. */
const MOMENTS: Readonly<Record<string, (transport: Transport) => Promise<unknown>[]>> = {
  idle: () => [],
  connecting: (transport) => [transport.connect()],
  'with a full queue': (transport) =>
    Array.from({ length: 20 }, (_, n) => transport.publish(createEvent('a', n))),
  draining: (transport) => [transport.publish(createEvent('a', 1)), transport.drain()],
}

export const closeAnytime: ConformanceCase = {
  id: 'A4',
  level: 'MUST',
  title: 'close works in every state, together and again, and settles whatever waits',
  async run(world) {
    for (const [moment, begin] of Object.entries(MOMENTS)) {
      await closeIn(world, moment, false, begin)
      await closeIn(world, `${moment}, once ready`, true, begin)
    }
  },
}

async function closeIn(
  world: World,
  moment: string,
  isReady: boolean,
  begin: (transport: Transport) => Promise<unknown>[],
): Promise<void> {
  const transport = world.transport({ queue: { capacity: 1, strategy: 'block' } })
  if (isReady) await world.soon(transport.connect(), 'to connect')
  let ends = 0
  transport.on('status', ({ status }) => void (ends += status.state === 'closed' ? 1 : 0))
  const underWay = Promise.allSettled(begin(transport))
  const closes = [transport.close(), transport.close(), transport.close()]
  await world.all(closes, `close to resolve, ${moment}`)
  await world.soon(transport.close(), `a late close to resolve, ${moment}`)
  await world.soon(underWay, `what waits to settle, ${moment}`)
  assert.equal(transport.status.state, 'closed', moment)
  assert.ok(ends <= 1, `closed is reported once, ${moment}`)
}

export const closedForGood: ConformanceCase = {
  id: 'A5',
  level: 'MUST',
  title:
    'after close every call rejects with ClosedError, iterators end, and no handler runs again',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inbox = await world.collect(receiver, 'a')
    const iterator = receiver.events('a')
    const first = iterator.next()
    const apart = world.transport()
    const sink = new KeepingSink()
    await world.soon(apart.subscribe(['a'], sink).live, 'to be live')
    await world.soon(sender.publish('a', 'before'), 'a publish')
    await inbox.gets(['before'])
    assert.equal((await world.soon(first, 'the iterator to give it')).done, false)
    const next = iterator.next()

    await world.all([receiver.close(), apart.close()], 'to close')
    await world.soon(sender.publish('a', 'after'), 'a publish of the other')
    const end = await Promise.allSettled([world.soon(next, 'the iterator to end')])
    assert.ok(hasEnded(end[0]), 'an iterator ends, or rejects with ClosedError')
    const closed = { code: 'closed', outcome: 'not-sent' } as const
    await world.rejects(receiver.publish('a', 1), closed, 'publish of the bus')
    await world.rejects(
      receiver.subscribe('a', () => {}),
      { code: 'closed' },
      'subscribe',
    )
    await world.rejects(receiver.connect(), { code: 'closed' }, 'connect of the bus')
    await world.rejects(apart.publish(createEvent('a', 1)), closed, 'publish')
    await world.rejects(apart.connect(), { code: 'closed' }, 'connect')
    assert.doesNotThrow(() => apart.emit(createEvent('a', 1)))
    assert.deepEqual(await world.soon(apart.drain(), 'drain'), { unsent: [], unhandled: 0 })
    await inbox.gets(['before'])
    assert.deepEqual(sink.payloads, ['before'], 'no sink is called again')
  },
}

function hasEnded(result: PromiseSettledResult<IteratorResult<unknown>>): boolean {
  if (result.status === 'fulfilled') return result.value.done === true
  return (result.reason as { code?: string }).code === 'closed'
}

export const independence: ConformanceCase = {
  id: 'A10',
  level: 'MUST',
  title: 'closing one transport does not affect another on the same medium',
  async run(world) {
    const [one, two, three] = [world.bus(), world.bus(), world.bus()]
    const gone = await world.collect(one, 'a')
    const inbox = await world.collect(two, 'a')
    await world.soon(three.publish('a', 1), 'a publish')
    await gone.gets([1])
    const { status } = two
    await world.soon(one.close(), 'to close')
    await world.soon(three.publish('a', 2), 'a publish after that')
    await inbox.gets([1, 2])
    await gone.gets([1])
    assert.equal(two.status, status, 'the other’s link is the same as before')
    await world.soon(two.publish('b', 3), 'a publish of the other')
  },
}

export const nothingLeft: ConformanceCase = {
  id: 'A6',
  level: 'MUST',
  title:
    'after close nothing is left: pending calls settle, handlers are aborted, timers and listeners are gone',
  async run(world) {
    const bus = world.bus({ queue: { capacity: 2, strategy: 'block' } })
    const { signal } = new AbortController()
    const handler = await startEndlessHandler(bus, signal)
    const iterator = bus.events('b', { signal })
    const waiting: Promise<unknown>[] = [iterator.next()]
    await world.soon(world.bus().publish('a', 0), 'a publish of another')
    await world.until(() => handler.isRunning, 'the handler to run')
    const options = { signal, timeoutMs: 60_000 }
    for (let n = 0; n < 50; n++) waiting.push(bus.publish('a', n, options))
    waiting.push(bus.subscribe('c', () => {}, { signal }))

    const settled = Promise.allSettled(waiting)
    await world.soon(bus.close(), 'to close')
    await world.soon(settled, 'everything that waited to settle')
    assert.equal(handler.isAborted, true, 'the signal of the running handler is aborted')
    assert.equal(bus.subscriptions.length, 0)
    assert.equal(getEventListeners(signal, 'abort').length, 0, 'no listener is left on the signal')
  },
}

/** Its handler ends only when its signal says so. */
async function startEndlessHandler(
  bus: Bus,
  signal: AbortSignal,
): Promise<{ readonly isRunning: boolean; readonly isAborted: boolean }> {
  const handler = { isRunning: false, isAborted: false }
  await bus.subscribe(
    'a',
    (_event, context) =>
      new Promise((resolve) => {
        handler.isRunning = true
        context.signal.addEventListener('abort', () => {
          handler.isAborted = true
          resolve()
        })
      }),
    { signal, queue: { capacity: 1 } },
  )
  return handler
}
