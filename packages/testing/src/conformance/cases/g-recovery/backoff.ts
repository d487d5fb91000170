/** How a transport tries again: at odd moments, ever more rarely, and not at all where it cannot help. */
import assert from 'node:assert/strict'
import { BusError, type Transport, type TransportStatus } from '@bus/core'
import { numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { RECONNECTS } from '../../claims.ts'
import { impatientTransport } from '../../world/impatience.ts'
import { relinked } from '../../case-tools/relinking.ts'
import type { World } from '../../world/world.ts'

const CLIENTS = 20
const ATTEMPTS = 10
/** Of two delays of the whole crowd, at most so many in a hundred are the same. */
const MOST_SAME = 0.05
/** RFC 6455: going away, and a policy that is not met. */
const GOING_AWAY = 1001
const POLICY = 1008

export const triesAgainWisely: ConformanceCase<'refuse' | 'cut' | 'close'> = {
  id: 'G7',
  level: 'MUST',
  title:
    'attempts are spread and counted until a connection is stable, and end with a code that is final',
  needs: RECONNECTS,
  faults: ['refuse', 'cut', 'close'],
  async run(world) {
    await spread(world)
    await counted(world)
    await final(world)
  },
}

/** Clients that were turned away together do not come back together. */
async function spread(world: World<'refuse'>): Promise<void> {
  const mend = await world.faults.refuse()
  const delays: number[] = []
  const clients = numbers(CLIENTS).map(() => attempts(world, delays))
  await world.until(
    () => delays.length >= CLIENTS * ATTEMPTS,
    `${CLIENTS} clients to try ${ATTEMPTS} times each`,
    () => delays.length,
  )
  await Promise.all(clients.map((client) => client.close()))
  await mend()
  const same = 1 - new Set(delays).size / delays.length
  assert.ok(same <= MOST_SAME, `${Math.round(same * 100)} % of the delays are the same`)
}

/** A client for which no wait takes time; its delays are noted. */
function attempts(world: World, delays: number[]): Transport {
  const { transport, hurry } = impatientTransport(world)
  // What is made of several links tells of one attempt again when another one has begun.
  const waits = new Set<TransportStatus>()
  const stop = transport.on('status', ({ status }) => {
    if (status.state !== 'backoff' || waits.has(status)) return
    waits.add(status)
    delays.push(status.delayMs)
    if (waits.size < ATTEMPTS) return
    stop()
    void transport.close()
  })
  hurry()
  transport.connect({ retry: true }).catch(() => {})
  return transport
}

/** A link that is lost as soon as it is there counts as a failure like any other. */
async function counted(world: World<'cut'>): Promise<void> {
  const transport = world.transport()
  await world.soon(transport.connect(), 'to connect')
  const counts: number[] = []
  transport.on('status', ({ status }) => {
    if (status.state === 'backoff') counts.push(status.attempt)
  })
  for (let n = 0; n < 4; n++) await relinked(world, transport, () => world.faults.cut(transport))
  assert.ok((counts.at(-1) ?? 0) > (counts[0] ?? 0), `the attempts counted ${counts.join()}`)
  await transport.close()
}

async function final(world: World<'close'>): Promise<void> {
  const transport = world.transport()
  await world.soon(transport.connect(), 'to connect')
  await relinked(world, transport, () => world.faults.close(transport, GOING_AWAY))
  await world.faults.close(transport, POLICY)
  await world.until(
    () => transport.status.state === 'closed',
    `the end, after code ${POLICY}`,
    () => transport.status,
  )
  await world.quiet()
  assert.equal(transport.status.state, 'closed', 'what has ended does not begin again')
  await assert.rejects(transport.connect(), BusError)
}
