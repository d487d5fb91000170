/** A link that breaks between what was taken and being told so. */
import { arrive, numbers } from '../../case-tools/arrivals.ts'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../../case.ts'
import { both, CONFIRMS, DEDUPES } from '../../claims.ts'

const ROUNDS = 5

export const onceDespiteRetry: ConformanceCase<'loseConfirmation'> = {
  id: 'E4',
  level: 'MUST',
  title: 'an event whose confirmation was lost is confirmed later, and delivered once',
  needs: both(CONFIRMS, DEDUPES),
  faults: ['loseConfirmation'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus({ transport }), world.bus()]
    const inbox = await world.collect(receiver, 'order.created')
    await world.soon(sender.connect(), 'to connect')
    for (const n of numbers(ROUNDS)) {
      await world.until(() => transport.status.state === 'ready', 'a link')
      const links = transport.on('close', () => lostLinks++)
      let lostLinks = 0
      await world.faults.loseConfirmation(transport)
      const receipt = await world.soon(sender.publish('order.created', n), 'the confirmation')
      assert.equal(receipt.status, 'confirmed')
      await world.until(() => lostLinks > 0, 'the link to have been lost')
      links()
    }
    await arrive(world, inbox, numbers(ROUNDS))
  },
}
