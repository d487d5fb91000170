/** Cases about when an event is settled: after its handling, once, also across reconnects. */
import assert from 'node:assert/strict'
import { type Bus, createEvent, type Sink, type Transport } from '@bus/core'
import { numbers, publishAll } from '../../case-tools/publishing.ts'
import { type ConformanceCase, RECONNECTS } from '../../case.ts'
import { Latch, KeepingSink } from '../../case-tools/receiving.ts'
import type { World } from '../../world/world.ts'
import { relinked } from '../../case-tools/connections.ts'

const COUNT = 20

interface Spied extends SettleSpy {
  readonly sender: Bus
  readonly receiver: Bus
}

function spied(world: World): Spied {
  const spy = spyOnSettling(world.transport())
  return { ...spy, sender: world.bus(), receiver: world.bus({ transport: spy.transport }) }
}

function publishNamed(world: World, bus: Bus, ids: readonly string[]): Promise<unknown> {
  const published = ids.map((id) => bus.publish('a', id, { metadata: { id } }))
  return world.all(published, 'the publishes')
}

export const settledOnce: ConformanceCase = {
  id: 'D1',
  level: 'MUST',
  title:
    'an event is settled once: handled, dropped or dead-lettered; one whose letter is lost is kept',
  async run(world) {
    const { sender, receiver, settled } = spied(world)
    const failing = (): Promise<void> => Promise.reject(new Error('no'))
    const lost = (): void => {
      throw new Error('dead letters are not accepted')
    }
    const seen: string[] = []
    const handlers = {
      handled: receiver.subscribe('a.handled', ({ id }) => void seen.push(id)),
      dropped: receiver.subscribe('a.dropped', failing, { errorPolicy: { strategy: 'drop' } }),
      deadLettered: receiver.subscribe('a.deadLettered', failing, {
        errorPolicy: { strategy: 'dlq' },
      }),
      kept: receiver.subscribe('a.kept', failing, {
        errorPolicy: { strategy: 'dlq', deadLetter: { deliver: lost, fallback: 'keep' } },
      }),
    }
    await world.all(Object.values(handlers), 'to be subscribed')
    let errors = 0
    receiver.on('error', () => void errors++)
    for (const id of Object.keys(handlers)) {
      const published = sender.publish(createEvent(`a.${id}`, 1, { id }))
      await world.soon(published, 'a publish')
    }
    // Two errors are reported for the one that is kept: of its handler, and of its dead letter.
    await world.until(() => seen.length === 1 && errors >= 4, 'every event to be settled or kept')
    await world.quiet()
    assert.deepEqual(settled.toSorted(), ['deadLettered', 'dropped', 'handled'])
    assert.deepEqual(
      receiver.deadLetters?.list().map(({ event }) => event?.id),
      ['deadLettered'],
    )
  },
}

export const settledAfterHandling: ConformanceCase = {
  id: 'D2',
  level: 'MUST',
  title: 'nothing is settled before its handler has ended, whichever of them ends first',
  async run(world) {
    const { sender, receiver, settled } = spied(world)
    const latches = new Map(['one', 'two', 'three'].map((id) => [id, new Latch()]))
    const started: string[] = []
    await world.soon(
      receiver.subscribe(
        'a',
        async ({ id }) => {
          started.push(id)
          await latches.get(id)?.opened
        },
        { concurrency: 3 },
      ),
      'to be subscribed',
    )
    await publishNamed(world, sender, [...latches.keys()])
    await world.until(() => started.length === 3, 'three handlers to run')
    await world.quiet()
    assert.deepEqual(settled, [], 'nothing while the handlers run')
    const ended: string[] = []
    for (const id of ['two', 'three', 'one']) {
      latches.get(id)?.open()
      ended.push(id)
      await world.until(() => settled.length >= ended.length, `${id} to be settled`)
      await world.quiet()
      assert.deepEqual(settled, ended)
    }
  },
}

export const settledAgain: ConformanceCase = {
  id: 'D6',
  level: 'MUST',
  title: 'settling again, with an unknown token, after unsubscribe or after close has no effect',
  async run(world) {
    const [sender, transport] = [world.bus(), world.transport()]
    const sink = new KeepingSink()
    const feed = transport.subscribe(['a'], sink)
    await world.soon(feed.live, 'to be live')
    await publishAll(world, sender, 'a', numbers(COUNT))
    await world.until(() => sink.tokens.length >= COUNT, 'every event')
    const settleAll = (): void => {
      for (const token of [...sink.tokens.toReversed(), 4_711, -1]) feed.settle(token)
    }
    settleAll()
    settleAll()
    await publishAll(world, sender, 'a', numbers(COUNT, COUNT))
    await world.until(() => sink.tokens.length >= 2 * COUNT, 'what was published after that')
    await world.soon(feed.unsubscribe(), 'to unsubscribe')
    settleAll()
    await world.soon(transport.close(), 'to close')
    settleAll()
    await world.quiet()
    const arrived = (sink.payloads as number[]).toSorted((a, b) => a - b)
    assert.deepEqual(arrived, numbers(2 * COUNT), 'each event once')
  },
}

export const unsettledSurvives: ConformanceCase<'cut'> = {
  id: 'D5',
  level: 'MUST',
  title: 'events that wait for their handler while connections break are handled, once each',
  needs: RECONNECTS,
  faults: ['cut'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const latch = new Latch()
    const handled: unknown[] = []
    const subscription = await world.soon(
      receiver.subscribe('a', async ({ payload }) => {
        await latch.opened
        handled.push(payload)
      }),
      'to be subscribed',
    )
    await publishAll(world, sender, 'a', numbers(COUNT))
    const waiting = (): number => {
      const { queue, active } = subscription.stats()
      return queue.size + active
    }
    await world.until(() => waiting() >= COUNT, 'every event to wait for the handler', waiting)
    for (let cut = 0; cut < 3; cut++) {
      await relinked(world, transport, () => world.faults.cut(transport))
    }
    latch.open()
    await world.until(() => handled.length >= COUNT, 'every event to be handled')
    await world.quiet()
    assert.deepEqual(handled, numbers(COUNT))
  },
}

/** The ids of the events that were settled, in the order of settling; twice if `settle` was called twice. */
interface SettleSpy {
  readonly transport: Transport
  readonly settled: readonly string[]
}

interface Delivery {
  readonly id: string
  /** The transport's own: one that needs no settling may give the same to every event. */
  readonly token: number
}

/** A transport that acts as the one given, and notes each `settle`. */
function spyOnSettling(target: Transport): SettleSpy {
  const settled: string[] = []
  const subscribe: Transport['subscribe'] = (patterns, sink, options) => {
    const deliveries: Delivery[] = []
    const noting: Sink = {
      deliver: (event, token) => {
        const own = deliveries.push({ id: event.id, token }) - 1
        return sink.deliver(event, own)
      },
    }
    const feed = target.subscribe(patterns, noting, options)
    return withMember(feed, 'settle', (own: number) => {
      const delivery = deliveries[own]
      settled.push(delivery?.id ?? `unknown token ${own}`)
      if (delivery !== undefined) feed.settle(delivery.token)
    })
  }
  return { transport: withMember(target, 'subscribe', subscribe), settled }
}

/** The same object but for one member. Methods run on the object itself, whose fields may be private. */
function withMember<T extends object, K extends keyof T>(target: T, name: K, member: T[K]): T {
  return new Proxy(target, {
    get(_target, key) {
      if (key === name) return member
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
