/** Cases about silent loss: under random faults every lost event is reported as a gap. */
import { setTimeout as pause } from 'node:timers/promises'
import { Campaign } from '../../campaign/campaign.ts'
import {
  FaultSchedule,
  SCHEDULED_FAULTS,
  type ScheduledFault,
} from '../../campaign/fault-schedule.ts'
import { both, CONFIRMS, type ConformanceCase, REPORTS_GAPS } from '../../case.ts'
import type { World } from '../../world/world.ts'

const SCHEDULES = 12
const STEPS = 12
/** At most, at once. */
const BURST = 20
/** Milliseconds of the soak, and between two faults in it. */
const SOAK_MS = 2_000
const FAULT_EVERY_MS = 120
/** Events, every so many milliseconds. */
const SOAK_BURST = 10
const SOAK_BURST_MS = 10

export const noSilentLoss: ConformanceCase<ScheduledFault> = {
  id: 'G3',
  level: 'MUST',
  title:
    'under random faults everything confirmed is received, or a gap is reported before later events',
  needs: both(CONFIRMS, REPORTS_GAPS),
  faults: SCHEDULED_FAULTS,
  limitMs: 600_000,
  async run(world) {
    await certainLoss(world)
    for (let n = 0; n < Math.ceil(SCHEDULES * world.effort); n++) await schedule(world)
  },
}

export const soak: ConformanceCase<ScheduledFault> = {
  id: 'G14',
  level: 'STOCHASTIC',
  title: 'the same, and order, under steady load with a fault every moment',
  needs: both(CONFIRMS, REPORTS_GAPS),
  faults: SCHEDULED_FAULTS,
  limitMs: 600_000,
  async run(world) {
    const campaign = new Campaign(world)
    await campaign.begin()
    const faults = new FaultSchedule(world, campaign.transports)
    const end = performance.now() + SOAK_MS * world.effort
    const load = async (): Promise<void> => {
      while (performance.now() < end) {
        for (let n = 0; n < SOAK_BURST; n++) campaign.publish(n % campaign.publishers.length)
        await pause(SOAK_BURST_MS)
      }
    }
    const loaded = load()
    while (performance.now() < end) {
      await faults.strike()
      await pause(world.random() * 2 * FAULT_EVERY_MS)
    }
    await loaded
    await faults.heal()
    await campaign.end()
  },
}

/** What the medium has confirmed and not delivered when it loses everything is lost: that must be reported. */
async function certainLoss(world: World<ScheduledFault>): Promise<void> {
  const campaign = new Campaign(world)
  await campaign.begin()
  const heals = []
  for (const subscriber of campaign.subscribers) heals.push(await world.faults.freeze(subscriber))
  for (let n = 0; n < BURST; n++) campaign.publish(n % campaign.publishers.length)
  await campaign.settle()
  await world.faults.wipe()
  for (const heal of heals) await heal()
  await campaign.end()
  await campaign.close()
}

async function schedule(world: World<ScheduledFault>): Promise<void> {
  const campaign = new Campaign(world)
  await campaign.begin()
  const faults = new FaultSchedule(world, campaign.transports)
  for (let step = 0; step < STEPS; step++) {
    const burst = Math.floor(world.random() * BURST)
    const by = Math.floor(world.random() * campaign.publishers.length)
    for (let n = 0; n < burst; n++) campaign.publish(by)
    if (world.random() < 0.4) await pause(world.random() * 20)
    if (world.random() < 0.4) await faults.strike()
  }
  await faults.heal()
  await campaign.end()
  await campaign.close()
}
