/** Stalls: an event loop that stands still for longer than a heartbeat allows must not blame the other side. */
import { startChaosProxy } from '@bus/testing/chaos'
import { Stage, pass } from '../processes/stage.ts'
import { exactly } from '../report/bar.ts'
import { Progress } from '../report/progress.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

const CLIENTS = 20
const HEARTBEAT = { intervalMs: 200, timeoutMs: 100 }
/** Milliseconds of a stall: several times the limit. */
const STALL_MS = 350
/** Milliseconds at most between two stalls: long enough for a ping of each client to be under way now and then. */
const PAUSE_MS = 100

/** Milliseconds that a pong takes to the hub. */
const PONG_MS = 30

/** Stalls of each side. */
const STALLS: Readonly<Record<SuiteOptions['size'], number>> = { full: 50, quick: 10, smoke: 2 }

/** Somebody that stands still. */
interface Staller {
  ask(duty: 'stall', ms: number): Promise<void>
}

async function run({ size }: SuiteOptions): Promise<SuiteReport> {
  const stalls = STALLS[size]
  let done = 0
  using progress = new Progress('stalls', () => `${done} of ${stalls * 2}`)
  const stallOften = async (staller: Staller): Promise<void> => {
    for (let i = 0; i < stalls; i++) {
      await staller.ask('stall', STALL_MS)
      // By a growing share, so that stalls begin at every phase of the interval.
      await pass(((i % 10) / 10) * PAUSE_MS)
      done++
    }
  }
  const [byClient, byHub] = await Promise.all([stallClients(stallOften), stallHub(stallOften)])
  return {
    figures: { stalls: done, verdicts: byClient + byHub, clients: CLIENTS },
    bars: [
      exactly('stalls', done, stalls * 2),
      exactly('false verdicts of stalled clients', byClient, 0),
      exactly('false verdicts of a stalled hub', byHub, 0),
    ],
  }
}

type StallOften = (staller: Staller) => Promise<void>

/** Clients ping, and stand still together while pongs wait in their sockets. @returns verdicts */
async function stallClients(stallOften: StallOften): Promise<number> {
  await using stage = new Stage()
  const { url } = await stage.hub()
  const clients = await stage.actor({ url, clients: CLIENTS, heartbeat: HEARTBEAT })
  await clients.ask('connect')
  await stallOften(clients)
  const { heartbeatTimeouts, returns } = await clients.ask('notices')
  return Math.max(heartbeatTimeouts, returns)
}

/** The hub pings, and stands still while pongs wait in its sockets. @returns links that it has cut */
async function stallHub(stallOften: StallOften): Promise<number> {
  await using stage = new Stage()
  const { hub, port: targetPort } = await stage.hub({ heartbeatMs: HEARTBEAT.timeoutMs })
  // Pongs that are long under way come while the hub stands still.
  await using proxy = await startChaosProxy({ targetPort })
  proxy.setConditions({ delayMs: PONG_MS }, 'upstream')
  const url = `ws://127.0.0.1:${proxy.port}`
  const clients = await stage.actor({ url, clients: CLIENTS, heartbeat: false })
  await clients.ask('connect')
  await stallOften(hub)
  const { closes } = await clients.ask('notices')
  return Object.values(closes).reduce((sum, count) => sum + count, 0)
}

/** A hub and clients that stall, and at the same time others whose hub does. */
export const stalls: Suite = {
  name: 'stalls',
  about: 'event loops that stand still: no heartbeat blames the other side for it',
  run,
}
