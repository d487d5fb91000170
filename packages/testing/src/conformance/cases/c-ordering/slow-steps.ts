/** The case about order where a schema or a middleware answers later for one event than for the next. */
import assert from 'node:assert/strict'
import type { Middleware } from '@bus/core'
import { setTimeout as sleep } from 'node:timers/promises'
import { numbers } from '../../case-tools/publishing.ts'
import { type ConformanceCase, KEEPS_ORDER } from '../../case.ts'

/** The first of three takes longest, as a look-up that misses its cache. */
const slow: Middleware = {
  publish: async (event, next) => {
    await sleep(((event.payload as number) % 3) * 5)
    return next(event)
  },
}

export const orderThroughSlowSteps: ConformanceCase = {
  id: 'C8',
  level: 'MUST',
  title: 'events stay in order through a middleware that answers later for some than for others',
  needs: KEEPS_ORDER,
  async run(world) {
    const sender = world.bus({ middleware: [slow] })
    const inbox = await world.collect(world.bus(), 'a')
    const sent = numbers(30).map((n) => {
      if (n % 5 !== 0) return sender.publish('a', n)
      sender.emit('a', n)
      return undefined
    })
    await world.all(
      sent.filter((one) => one !== undefined),
      'the publishes',
    )
    await inbox.count(30)
    assert.deepEqual(inbox.payloads, numbers(30))
  },
}
