/** Publishing while there is no link. */
import assert from 'node:assert/strict'
import { BusError, type Bus, type Transport } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'
import { RECONNECTS } from '../../claims.ts'
import { lost } from '../../case-tools/relinking.ts'
import type { World } from '../../world/world.ts'

const ROUNDS = 3
const COUNT = 40
/** More than this does not fit, so that every strategy has something to decide. */
const CAPACITY = 25

export const neverResolvedAndDropped: ConformanceCase<'cut'> = {
  id: 'E2',
  level: 'MUST',
  title: 'what is published without a connection resolves and arrives, or is refused and does not',
  needs: RECONNECTS,
  faults: ['cut'],
  async run(world) {
    const receiver = world.bus()
    const inbox = await world.collect(receiver, 'order.>')
    for (const strategy of ['block', 'drop-oldest', 'drop-newest', 'reject'] as const) {
      const transport = world.transport({ queue: { capacity: CAPACITY, strategy } })
      const sender = world.bus({ transport })
      await world.soon(sender.connect(), 'to connect')
      const refused: unknown[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const fates = await publishWithoutLink(world, transport, sender, `${strategy}-${round}`)
        const arrived = (payload: unknown): boolean => inbox.payloads.includes(payload)
        await world.until(
          () => fates.kept.every(arrived),
          `everything that resolved (${strategy}) to arrive`,
          () => fates.kept.filter((payload) => !arrived(payload)),
        )
        refused.push(...fates.refused)
      }
      await world.quiet()
      const both = refused.filter((payload) => inbox.payloads.includes(payload))
      assert.deepEqual(both, [], `what was refused as not sent (${strategy}) does not arrive`)
    }
    assert.equal(new Set(inbox.payloads).size, inbox.events.length, 'nothing arrives twice')
  },
}

interface Fates {
  readonly kept: unknown[]
  /** With outcome `not-sent`. */
  readonly refused: unknown[]
}

/** Publishes in the moment in which the transport learns of the loss. */
async function publishWithoutLink(
  world: World<'cut'>,
  transport: Transport,
  sender: Bus,
  name: string,
): Promise<Fates> {
  const fates: Fates = { kept: [], refused: [] }
  const publishing: Promise<void>[] = []
  const publish = async (payload: string): Promise<void> => {
    try {
      await sender.publish('order.created', payload)
      fates.kept.push(payload)
    } catch (error) {
      assert.ok(error instanceof BusError, `a refusal is a BusError, not ${String(error)}`)
      if (error.outcome === 'not-sent') fates.refused.push(payload)
    }
  }
  await world.until(() => transport.status.state === 'ready', 'a link')
  const stop = transport.on('status', ({ status }) => {
    if (status.state === 'ready' || publishing.length > 0) return
    for (let n = 0; n < COUNT; n++) publishing.push(publish(`${name}-${n}`))
  })
  await lost(world, transport, () => world.faults.cut(transport))
  await world.until(() => publishing.length > 0, 'a status without a link')
  stop()
  await world.all(publishing, 'every publish to be settled')
  return fates
}
