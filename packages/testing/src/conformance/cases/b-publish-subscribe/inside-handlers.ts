/** What a handler may do with the bus that called it. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../../case.ts'
import type { World } from '../../world/world.ts'

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
