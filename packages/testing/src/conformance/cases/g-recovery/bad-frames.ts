/** Cases about malformed frames and duplicated frames. */
import assert from 'node:assert/strict'
import type { Bus } from '@bus/core'
import { arrive, numbers } from '../../case-tools/publishing.ts'
import { type ConformanceCase, DEDUPES } from '../../case.ts'

const COUNT = 6

export const badFrameIsReported: ConformanceCase<'corruptNext'> = {
  id: 'G10',
  level: 'MUST',
  title: 'a malformed frame is reported, costs at most its own event, and ends nothing',
  faults: ['corruptNext'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const inbox = await world.collect(receiver, 'order.created')
    const reported = listen(receiver)
    await world.faults.corruptNext(transport)
    await world.soon(sender.publish('order.created', 0), 'a publish')
    await world.until(() => reported.errors.length > 0, 'the bad frame to be reported')
    assert.ok(
      reported.errors.every((kind) => kind === 'decode'),
      `it is reported as a decode error: ${reported.errors.join()}`,
    )
    await world.until(() => transport.status.state === 'ready', 'a link')
    const after = numbers(COUNT - 1, 1)
    for (const n of after) await world.soon(sender.publish('order.created', n), 'a publish')
    await world.until(
      () => after.every((n) => inbox.payloads.includes(n)),
      'everything after the bad frame to arrive',
      () => inbox.payloads,
    )
    await world.quiet()
    const isLost = !inbox.payloads.includes(0)
    if (isLost) assert.ok(reported.losses.length > 0, 'a lost event is reported as lost')
    const expected = isLost ? after : [0, ...after]
    await arrive(world, inbox, expected)
  },
}

export const duplicatesAreKnown: ConformanceCase<'duplicateNext' | 'cut'> = {
  id: 'G13',
  level: 'MUST',
  title: 'a frame that comes twice, and what is sent again after a break, is delivered once',
  needs: DEDUPES,
  faults: ['duplicateNext', 'cut'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const inbox = await world.collect(receiver, 'order.created')
    for (const n of numbers(COUNT)) {
      await world.until(() => transport.status.state === 'ready', 'a link')
      await world.faults.duplicateNext(transport)
      await world.soon(sender.publish('order.created', n), 'a publish')
      await world.until(() => inbox.payloads.includes(n), `event ${n} to arrive`)
      // What was just received may not be acknowledged yet: it is sent again.
      await world.faults.cut(transport)
    }
    await arrive(world, inbox, numbers(COUNT))
  },
}

/** What a bus reports of malformed frames and of losses. */
function listen(bus: Bus): { readonly errors: string[]; readonly losses: string[] } {
  const reported = { errors: [] as string[], losses: [] as string[] }
  bus.on('error', ({ kind }) => reported.errors.push(kind))
  bus.on('undeliverable', ({ reason }) => reported.losses.push(reason))
  bus.on('gap', ({ reason }) => reported.losses.push(reason))
  return reported
}
