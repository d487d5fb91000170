/** Cases about ending a subscription, and about what a handler may do with the bus that called it. */
import assert from 'node:assert/strict'
import { numbers, publishAll } from '../../case-tools/publishing.ts'
import type { ConformanceCase } from '../../case.ts'
import { KeepingSink } from '../../case-tools/receiving.ts'
import type { World } from '../../world/world.ts'

const COUNT = 50

export const unsubscribing: ConformanceCase = {
  id: 'B6',
  level: 'MUST',
  title: 'unsubscribe stops delivery for that subscription alone, and subscribing again works',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const gone = await world.collect(receiver, 'a')
    const stays = await world.collect(receiver, 'a')
    await publishAll(world, sender, 'a', numbers(COUNT))
    await gone.gets(numbers(COUNT))
    await stays.gets(numbers(COUNT))

    await world.soon(receiver.unsubscribe(gone.subscription), 'to unsubscribe')
    await world.soon(gone.subscription.unsubscribe(), 'to unsubscribe again')
    await world.soon(gone.subscription.closed, 'the subscription to be closed')
    await world.rejects(
      receiver.unsubscribe(gone.subscription.id),
      { code: 'unknown-subscription' },
      'unsubscribe by an id that is gone',
    )
    await publishAll(world, sender, 'a', numbers(COUNT, COUNT))
    await stays.gets(numbers(2 * COUNT))
    await gone.gets(numbers(COUNT))

    const again = await world.collect(receiver, 'a')
    await publishAll(world, sender, 'a', ['again'])
    await again.gets(['again'])
    await stays.gets([...numbers(2 * COUNT), 'again'])
    await gone.gets(numbers(COUNT))
    await unsubscribesAtOnce(world)
  },
}

/** Between the call and its end nothing more comes to the sink of a feed. */
async function unsubscribesAtOnce(world: Parameters<ConformanceCase['run']>[0]): Promise<void> {
  const [sender, transport] = [world.bus(), world.transport()]
  const sink = new KeepingSink()
  const feed = transport.subscribe(['b'], sink)
  await world.soon(feed.live, 'to be live')
  const published = publishAll(world, sender, 'b', numbers(COUNT))
  const ended = [feed.unsubscribe(), feed.unsubscribe()]
  const arrived = sink.events.length
  await world.all(ended, 'to unsubscribe')
  await published
  await world.quiet()
  assert.equal(sink.events.length, arrived, 'nothing comes after the call of unsubscribe')
}

export const insideHandlers: ConformanceCase = {
  id: 'B7',
  level: 'MUST',
  title:
    'a handler may unsubscribe itself, subscribe and publish, without deadlock or double delivery',
  async run(world) {
    await unsubscribesItself(world)
    await subscribes(world)
    await publishes(world)
  },
}

async function unsubscribesItself(world: World): Promise<void> {
  const [sender, receiver] = [world.bus(), world.bus()]
  const seen: unknown[] = []
  let isDone = false
  await world.soon(
    receiver.subscribe('leave', async ({ payload }, { subscription }) => {
      seen.push(payload)
      await subscription.unsubscribe()
      isDone = true
    }),
    'to be subscribed',
  )
  await world.all(
    [1, 2, 3].map((n) => sender.publish('leave', n)),
    'the publishes',
  )
  await world.until(() => isDone, 'unsubscribe within the handler to resolve')
  await world.quiet()
  assert.equal(seen.length, 1, 'no handler starts after unsubscribe')
}

async function subscribes(world: World): Promise<void> {
  const [sender, receiver] = [world.bus(), world.bus()]
  const outer: unknown[] = []
  const inner: unknown[] = []
  let live = 0
  await world.soon(
    receiver.subscribe('start', async ({ payload }) => {
      outer.push(payload)
      await receiver.subscribe('next', (event) => void inner.push(event.payload))
      live++
    }),
    'to be subscribed',
  )
  await world.all(
    [1, 2].map((n) => sender.publish('start', n)),
    'the publishes',
  )
  await world.until(() => live === 2, 'both inner subscriptions to be live')
  await world.soon(sender.publish('next', 'inner'), 'a publish')
  await world.until(() => inner.length >= 2, 'both inner subscriptions to get it')
  await world.quiet()
  assert.deepEqual(inner, ['inner', 'inner'])
  assert.deepEqual(new Set(outer), new Set([1, 2]))
}

async function publishes(world: World): Promise<void> {
  const [sender, worker] = [world.bus(), world.bus()]
  const answers = await world.collect(sender, 'answer')
  await world.soon(
    worker.subscribe('question', async ({ payload }) => {
      await worker.publish('answer', payload)
    }),
    'to be subscribed',
  )
  const questions = Array.from({ length: 20 }, (_, n) => n)
  await world.all(
    questions.map((n) => sender.publish('question', n)),
    'the publishes',
  )
  await answers.gets(questions)
}
