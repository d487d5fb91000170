/** Cases about resuming: what was published while a subscriber was disconnected is delivered later. */
import assert from 'node:assert/strict'
import type { Bus, Transport } from '@bus/core'
import { arrive, numbers } from '../../case-tools/publishing.ts'
import { both, type ConformanceCase, RESUMES, REPORTS_GAPS } from '../../case.ts'
import type { World } from '../../world/world.ts'

const NOISE = 300
const DROPS = 10

type Away = World<'cut' | 'freeze'>

export const missedComesFirst: ConformanceCase<'cut' | 'freeze'> = {
  id: 'G2',
  level: 'MUST',
  title: 'what was published during a break of any length comes once, in order, before what is new',
  needs: RESUMES,
  faults: ['cut', 'freeze'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const inbox = await world.collect(receiver, 'order.created')
    let next = 0
    for (const missed of [0, 1, 40, 250]) {
      await away(world, transport, () => publish(world, sender, 'order.created', missed, next))
      next += missed
      await publish(world, sender, 'order.created', 10, next)
      next += 10
    }
    await arrive(world, inbox, numbers(next))
  },
}

export const quietClientsRecover: ConformanceCase<'cut' | 'freeze'> = {
  id: 'G4',
  level: 'MUST',
  title:
    'a subscriber without any event yet recovers, also among events of others, and the tenth time',
  needs: RESUMES,
  faults: ['cut', 'freeze'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const inbox = await world.collect(receiver, 'quiet.bell')
    await publish(world, sender, 'noise.chatter', NOISE)
    for (const n of numbers(DROPS)) {
      await away(world, transport, async () => {
        if (n % 3 === 1) await publish(world, sender, 'noise.chatter', NOISE / 3)
        await publish(world, sender, 'quiet.bell', 1, n)
      })
      await world.until(
        () => inbox.events.length > n,
        `what was missed in break ${n + 1} to arrive`,
        () => inbox.payloads,
      )
    }
    await arrive(world, inbox, numbers(DROPS))
  },
}

export const noFalseGap: ConformanceCase<'cut' | 'freeze'> = {
  id: 'G5',
  level: 'MUST',
  title: 'no gap is reported as long as nothing that matches was lost',
  needs: both(RESUMES, REPORTS_GAPS),
  faults: ['cut', 'freeze'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const gaps: unknown[] = []
    receiver.on('gap', (gap) => gaps.push(gap))
    const inbox = await world.collect(receiver, 'quiet.bell')
    for (const n of numbers(3)) {
      await away(world, transport, () => publish(world, sender, 'noise.chatter', NOISE))
      await publish(world, sender, 'quiet.bell', 1, n)
      await world.until(
        () => inbox.events.length > n,
        'an event after the break to arrive',
        () => inbox.payloads,
      )
    }
    await world.quiet()
    assert.deepEqual(gaps, [], 'nothing that was subscribed is lost')
  },
}

/** Its link is half-open while the other things happen, and then broken. */
async function away(
  world: Away,
  transport: Transport,
  happens: () => Promise<void>,
): Promise<void> {
  await world.until(() => transport.status.state === 'ready', 'a link')
  const heal = await world.faults.freeze(transport)
  await happens()
  await world.faults.cut(transport)
  await heal()
}

async function publish(
  world: World,
  sender: Bus,
  type: string,
  count: number,
  from: number = 0,
): Promise<void> {
  const published = numbers(count, from).map((n) => sender.publish(type, n))
  await world.all(published, 'every publish to succeed')
}
