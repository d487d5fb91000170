/** Giving up while there is no link. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../../case.ts'
import { RECONNECTS } from '../../claims.ts'

export const endsAtOnce: ConformanceCase<'refuse'> = {
  id: 'G9',
  level: 'MUST',
  title: 'unsubscribing, aborting and closing do not wait for a connection',
  needs: RECONNECTS,
  faults: ['refuse'],
  async run(world) {
    const transport = world.transport()
    const bus = world.bus({ transport })
    const inbox = await world.collect(bus, 'order.created')
    const mend = await world.faults.refuse()
    await world.until(() => transport.status.state === 'backoff', 'to wait for another attempt')
    await world.soon(inbox.subscription.unsubscribe(), 'to be unsubscribed')
    const patience = new AbortController()
    const { signal } = patience
    const waiting = [
      bus.publish('order.created', 1, { signal }),
      bus.subscribe('order.paid', () => {}, { signal }),
      transport.connect({ retry: true, signal }),
    ].map((promise) => assert.rejects(promise, { code: 'aborted', cause: 'enough' }))
    patience.abort('enough')
    await world.all(waiting, 'every wait to end')
    await world.soon(bus.close(), 'to close')
    assert.equal(transport.status.state, 'closed')
    await mend()
    await world.quiet()
    assert.equal(transport.status.state, 'closed', 'what is closed connects no more')
  },
}
