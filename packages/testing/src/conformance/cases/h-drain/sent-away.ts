/** A medium that asks everybody to leave. */
import assert from 'node:assert/strict'
import { Campaign } from '../../campaign/campaign.ts'
import { numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { both, CONFIRMS, TELLS_GAPS } from '../../claims.ts'
import type { World } from '../../world/world.ts'

const CLIENTS = 10
const SPREAD_MS = 400
const BURST = 50

export const movesWithoutLoss: ConformanceCase<'sendAway'> = {
  id: 'H5',
  level: 'SHOULD',
  title:
    'disconnected clients come back within the time given, not all at once, and lose nothing silently',
  needs: both(CONFIRMS, TELLS_GAPS),
  faults: ['sendAway'],
  async run(world) {
    const campaign = new Campaign(world)
    await campaign.begin()
    const back = await crowd(world)
    for (let n = 0; n < BURST; n++) campaign.publish(n % campaign.publishers.length)
    const gone = world.faults.sendAway(SPREAD_MS)
    for (let n = 0; n < BURST; n++) campaign.publish(n % campaign.publishers.length)
    await gone
    await world.until(
      () => back.length >= CLIENTS,
      'everybody to come back',
      () => back.length,
    )
    const between = Math.max(...back) - Math.min(...back)
    assert.ok(between > SPREAD_MS / 8, `all came back within ${Math.round(between)} ms`)
    await campaign.end()
  },
}

/** Clients that only come and go, and when each of them is back. */
async function crowd(world: World): Promise<readonly number[]> {
  const clients = numbers(CLIENTS).map(() => world.transport())
  await world.soon(Promise.all(clients.map((client) => client.connect())), 'all to connect')
  const back: number[] = []
  for (const client of clients) {
    client.on('open', () => back.push(performance.now()), { once: true })
  }
  return back
}
