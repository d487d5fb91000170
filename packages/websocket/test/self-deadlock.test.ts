import { createBus, type Bus } from '@bus/core'
import { expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'

function busTo(hub: { readonly url: string }, blockedHandlerMs?: number): Bus {
  const transport = transportTo(hub, { protocol: busV1() })
  const bus = createBus({
    transport,
    ...(blockedHandlerMs === undefined ? {} : { blockedHandlerMs }),
  })
  onTestFinished(() => bus.close())
  return bus
}

test('a handler that waits for a publish which the hub holds back because of this very handler is reported, and holdMs frees it [F97]', async () => {
  const hub = await startHub({ log: { maxEvents: 10 }, holdMs: 200 })
  const publisher = busTo(hub)
  const copier = busTo(hub, 50)
  const blocked: string[] = []
  copier.on('blocked-handler', ({ id, event }) => void blocked.push(`${id} ${event.type}`))
  const accounted = new Set<number>()
  copier.on('gap', ({ from, to }) => {
    for (let offset = from; offset <= to; offset++) accounted.add(offset)
  })
  let copied = 0
  // Its events fill the log, so that the copy finds no room; it acknowledges none before the copy is in.
  const subscription = await copier.subscribe('order.*', async ({ payload }) => {
    await copier.publish('copy', payload)
    copied++
  })
  const receipts = await Promise.all(
    Array.from({ length: 40 }, (_, n) => publisher.publish('order.created', n)),
  )
  expect(receipts.every(({ status }) => status === 'confirmed')).toBe(true)
  expect(hub.stats().busV1.givenUp).toBeGreaterThan(0)
  expect(new Set(blocked)).toEqual(new Set([`${subscription.id} copy`]))
  await until(() => copied + accounted.size >= 40, 'each is copied, or named as lost')
})
