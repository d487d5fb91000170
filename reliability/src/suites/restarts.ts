/** Restarts: the hub is killed again and again; what its log took along is told, or, confirmed by subscribers, nothing is lost. */
import { HubChild } from '../hub/hub-child.ts'
import { COMEBACK_MS } from '../load/client.ts'
import { World } from '../load/world.ts'
import { exactly, atLeast } from '../report/bar.ts'
import { commonBars, named, publishFigures, total } from './bars.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

const PUBLISHERS = 4

type Confirm = 'hub' | 'subscribers'

const SIZES: Readonly<Record<SuiteOptions['size'], { publishes: number; restarts: number }>> = {
  full: { publishes: 200_000, restarts: 50 },
  quick: { publishes: 40_000, restarts: 10 },
  smoke: { publishes: 2_000, restarts: 1 },
}

/** Kills the hub each time another share of the publishes is settled. */
class Killer {
  readonly #hub: HubChild
  readonly #restarts: number
  readonly #every: number
  #next = 1
  #isBusy = false
  #restarting: Promise<void> = Promise.resolve()

  constructor(hub: HubChild, restarts: number, publishes: number) {
    this.#hub = hub
    this.#restarts = restarts
    this.#every = publishes / (restarts + 1)
  }

  at(settled: number): void {
    if (this.#isBusy || this.#next > this.#restarts || settled < this.#next * this.#every) return
    this.#isBusy = true
    this.#next++
    this.#restarting = this.#restart()
    // Whoever waits for calm hears of it; a publisher cannot.
    this.#restarting.catch(() => {})
  }

  /** The last restart is over. @throws what a restart threw */
  whenCalm(): Promise<void> {
    return this.#restarting
  }

  async #restart(): Promise<void> {
    await this.#hub.restart()
    this.#isBusy = false
  }

  /** The publishers are so far that the next kill is overdue. */
  isBehind(settled: number): boolean {
    return this.#isBusy && settled >= this.#next * this.#every && this.#next <= this.#restarts
  }
}

async function runWith(confirm: Confirm, options: SuiteOptions): Promise<SuiteReport> {
  const { seed, size } = options
  const { publishes, restarts } = SIZES[size]
  await using hub = await HubChild.start({
    confirm,
    graceMs: confirm === 'subscribers' ? COMEBACK_MS : 0,
  })
  const killer = new Killer(hub, restarts, publishes)
  await using world: World = new World({
    name: `restarts (${confirm})`,
    describe: () => `${hub.restarts} restarts`,
    seed,
    publishers: PUBLISHERS,
    events: publishes / PUBLISHERS,
    onSettled: (settled) => killer.at(settled),
    mustWait: () => killer.isBehind(world.ledger.settled),
    whenCalm: () => killer.whenCalm(),
  })
  for (let i = 0; i < PUBLISHERS; i++) world.addPublisher(hub.url)
  // Both handle at once, so that a gap is told exactly where the events are missing.
  await world.addSubscriber(hub.url, ['load.>'])
  await world.addSubscriber(hub.url, ['load.*', 'load.1'])
  await world.run()
  const accounts = world.accounts()
  const lost = exactly('lost', total(accounts, 'lost'), 0)
  return {
    figures: {
      ...publishFigures(world.ledger),
      restarts: hub.restarts,
      subscribers: accounts,
      seconds: world.seconds,
    },
    bars: [
      ...commonBars(world.ledger, accounts),
      ...(confirm === 'subscribers' ? [lost] : []),
      atLeast('restarts', hub.restarts, restarts),
    ],
  }
}

async function run(options: SuiteOptions): Promise<SuiteReport> {
  const bySubscribers = await runWith('subscribers', options)
  const byHub = await runWith('hub', options)
  return {
    figures: { subscribers: bySubscribers.figures, hub: byHub.figures },
    bars: [...named('subscribers', bySubscribers.bars), ...named('hub', byHub.bars)],
  }
}

/** The hub gets SIGKILL and comes back on its port with an empty log. */
export const restarts: Suite = {
  name: 'restarts',
  about:
    'killed hubs: confirmed by subscribers nothing is lost, confirmed by the hub nothing in silence',
  run,
}
