/** Publishing many events, and comparing what arrived with what was published. */
import type { Bus, PublishReceipt } from '@bus/core'
import type { World } from '../world/world.ts'
import type { Inbox } from '../world/inbox.ts'

/** How many are pending at once: fewer than the capacity of any queue. */
const AT_ONCE = 200

/** Publishes one event for each payload, in this order, and resolves when all of them have resolved. */
export async function publishAll(
  world: Pick<World, 'all'>,
  bus: Bus,
  type: string,
  payloads: readonly unknown[],
): Promise<void> {
  await publishEach(
    world,
    payloads.map((payload) => () => bus.publish(type, payload)),
  )
}

/** Calls each, in this order, and resolves when all of them have resolved. */
export async function publishEach(
  world: Pick<World, 'all'>,
  publishes: readonly (() => Promise<PublishReceipt>)[],
): Promise<void> {
  for (let from = 0; from < publishes.length; from += AT_ONCE) {
    const batch = publishes.slice(from, from + AT_ONCE).map((publish) => publish())
    await world.all(batch, 'every publish to resolve')
  }
}

/** Waits for exactly these payloads: in this order, if the transport keeps any. */
export function arrive(
  { capabilities }: Pick<World, 'capabilities'>,
  inbox: Inbox,
  payloads: readonly unknown[],
): Promise<void> {
  return capabilities.ordering === 'none' ? inbox.gets(payloads) : inbox.getsInOrder(payloads)
}

/** The numbers from `from` on. */
export function numbers(count: number, from: number = 0): number[] {
  return Array.from({ length: count }, (_, n) => from + n)
}
