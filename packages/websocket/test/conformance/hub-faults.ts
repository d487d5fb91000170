/** The faults of a hub as a medium: what breaks the links of one transport, and what breaks the hub. */
import type { Transport } from '@bus/core'
import type { ChaosLink, ChaosProxy } from '@bus/testing/chaos'
import type { MediumFaults } from '@bus/testing/conformance'
import type { HubWorld } from './hub-medium.ts'
import type { NamedLinks } from './named-links.ts'

/** What stands in front of the hub. */
export interface Front {
  readonly proxy: ChaosProxy
  readonly links: NamedLinks
  /** Whether there are confirmations that can be lost. */
  readonly confirms: boolean
}

/** All of them; without confirmations none can be lost. */
export function hubFaults(world: HubWorld, front: Front): MediumFaults {
  const { proxy, links } = front
  const linksOf = async (transport: Transport): Promise<ChaosLink[]> => {
    await world.whole(transport)
    return links.of(world.pathsOf(transport))
  }
  return {
    async cut(transport) {
      for (const link of await linksOf(transport)) link.reset()
    },
    async close(transport, code) {
      await world.whole(transport)
      for (const { streams } of world.editsOf(transport)) {
        for (const stream of streams) stream.sayClose(code)
      }
    },
    async freeze(transport) {
      const frozen = await linksOf(transport)
      for (const link of frozen) link.blackhole()
      return () => frozen.forEach((link) => link.heal())
    },
    async slow(transport, bytesPerSecond) {
      const slowed = await linksOf(transport)
      for (const link of slowed) link.setConditions({ bytesPerSecond }, 'downstream')
      return () => slowed.forEach((link) => link.setConditions({}, 'downstream'))
    },
    async refuse() {
      await proxy.down()
      return () => proxy.up()
    },
    async duplicateNext(transport) {
      for (const edits of world.editsOf(transport)) edits.duplicates++
    },
    async corruptNext(transport) {
      for (const edits of world.editsOf(transport)) edits.corruptions++
    },
    ...(front.confirms
      ? {
          loseConfirmation: loseConfirmation(world, (transport) =>
            links.of(world.pathsOf(transport)),
          ),
        }
      : {}),
    ...hubDeaths(world, proxy),
  }
}

/** The confirmation was said, so the hub has the event; it does not pass, and the link is torn. */
function loseConfirmation(
  world: HubWorld,
  links: (transport: Transport) => ChaosLink[],
): NonNullable<MediumFaults['loseConfirmation']> {
  return async (transport) => {
    for (const edits of world.editsOf(transport)) {
      edits.confirmation = () => {
        for (const other of world.editsOf(transport)) other.confirmation = undefined
        for (const link of links(transport)) link.reset()
      }
    }
  }
}

/** The log is in memory, so a hub that ends takes everything along. */
function hubDeaths(world: HubWorld, proxy: ChaosProxy): Pick<MediumFaults, 'wipe' | 'sendAway'> {
  return {
    async wipe() {
      await proxy.down()
      await world.hub.close()
      await world.restartHub()
      await proxy.up()
    },
    async sendAway(spreadMs) {
      await world.hub.drain({ spreadMs })
      await world.hub.close()
      await world.restartHub()
    },
  }
}
