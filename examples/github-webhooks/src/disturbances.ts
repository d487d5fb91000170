/** The disturbances: what is done to the links and the hub, and after how many events. */

/** What can be done to a job that runs. */
export interface Targets {
  cutPublisher(): void
  cutSubscribers(): void
  restartHub(): Promise<void>
}

interface Disturbance {
  /** After this share of the events. */
  readonly at: number
  readonly name: string
  run(): void | Promise<void>
}

/** Below it a run is over before a broken link would matter. */
const MIN_EVENTS = 1_000

/** Runs each disturbance when its time has come, one after the other. */
export class Disturbances {
  /** Those that have happened, in order. */
  readonly done: string[] = []
  readonly #total: number
  readonly #ahead: Disturbance[]
  #running: Promise<void> = Promise.resolve()

  constructor(total: number, targets: Targets) {
    this.#total = total
    this.#ahead = total < MIN_EVENTS ? [] : planOf(targets)
  }

  /** How many are still to come. */
  get ahead(): number {
    return this.#ahead.length
  }

  /** That many events were published. */
  reached(events: number): void {
    let next = this.#ahead[0]
    while (next !== undefined && events >= next.at * this.#total) {
      this.#ahead.shift()
      this.#running = this.#run(next, this.#running)
      next = this.#ahead[0]
    }
  }

  /** Resolves when those that were due have happened; rejects when one failed. */
  settled(): Promise<void> {
    return this.#running
  }

  async #run(disturbance: Disturbance, previous: Promise<void>): Promise<void> {
    await previous
    await disturbance.run()
    this.done.push(disturbance.name)
  }
}

function planOf(targets: Targets): Disturbance[] {
  return [
    { at: 0.25, name: "cut the publisher's link", run: () => targets.cutPublisher() },
    { at: 0.5, name: "cut the subscribers' links", run: () => targets.cutSubscribers() },
    { at: 0.75, name: 'killed and restarted the hub', run: () => targets.restartHub() },
  ]
}
