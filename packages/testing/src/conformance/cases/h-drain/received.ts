/** How far a subscription is whose handler has not ended yet. */
import type { Subscription } from '@bus/core'
import type { World } from '../../world/world.ts'

/** Waits until the subscription has so many events, those that are being handled included. */
export function received(world: World, subscription: Subscription, count: number): Promise<void> {
  const held = (): number => {
    const { active, queue } = subscription.stats()
    return active + queue.size
  }
  return world.until(() => held() === count, `${count} events to be received`, held)
}
