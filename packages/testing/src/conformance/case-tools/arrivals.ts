/** Comparing what arrived with what was published, by what the transport promises of order. */
import type { Inbox } from '../world/inbox.ts'
import type { World } from '../world/world.ts'

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
