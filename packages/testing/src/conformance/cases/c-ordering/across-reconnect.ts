/** Order when links break. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../../case.ts'
import { both, KEEPS_ORDER, RECONNECTS } from '../../claims.ts'
import type { Inbox } from '../../world/inbox.ts'
import { relinked } from '../../case-tools/relinking.ts'

const CUTS = 6
const BETWEEN_CUTS = 50

export const orderAcrossReconnects: ConformanceCase<'cut'> = {
  id: 'C7',
  level: 'STOCHASTIC',
  title: 'what arrives for the first time arrives in order, however often connections break',
  needs: both(KEEPS_ORDER, RECONNECTS),
  faults: ['cut'],
  async run(world) {
    const [from, to] = [world.transport(), world.transport()]
    const [sender, receiver] = [world.bus({ transport: from }), world.bus({ transport: to })]
    const inbox = await world.collect(receiver, 'a')
    await world.soon(sender.connect(), 'to connect')
    let n = 0
    const publishing: Promise<unknown>[] = []
    const publishSome = (): void => {
      for (let left = BETWEEN_CUTS; left > 0; left--) {
        // What a broken link refuses is not the question here.
        publishing.push(sender.publish('a', n++).catch(() => {}))
      }
    }
    for (let cut = 0; cut < Math.ceil(CUTS * world.effort); cut++) {
      publishSome()
      const broken = world.random() < 0.5 ? from : to
      await relinked(world, broken, async () => {
        publishSome()
        await world.faults.cut(broken)
        publishSome()
      })
    }
    await world.all(publishing, 'every publish to settle')
    await world.soon(sender.publish('a', n), 'the last publish')
    await world.until(() => inbox.payloads.includes(n), 'the last event')
    await world.quiet()
    const first = firstArrivals(inbox)
    assert.deepEqual(
      first,
      first.toSorted((a, b) => a - b),
    )
  },
}

function firstArrivals({ payloads }: Inbox): number[] {
  return [...new Set(payloads as number[])]
}
