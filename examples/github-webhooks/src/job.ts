/** The job: a hub, a publisher and two subscribers, whose links break while events are on the way. */
import { matches } from '@bus/core'
import { startClient, type Client } from './clients.ts'
import { Disturbances } from './disturbances.ts'
import { HubChild } from './hub-child.ts'
import type { EventList, EventSource } from './load-events.ts'
import type { PublisherReport, SubscriberReport } from './messages.ts'
import { JobError, Processes } from './processes.ts'
import type { Progress } from './progress.ts'

/** Who subscribes to what. */
export const SUBSCRIBERS: readonly { readonly name: string; readonly pattern: string }[] = [
  { name: 'github.issues.*', pattern: 'github.issues.*' },
  { name: 'everything', pattern: '>' },
]

/** What the processes reported. */
export interface JobReport {
  readonly publisher: PublisherReport
  /** In the order of `SUBSCRIBERS`. */
  readonly subscribers: readonly SubscriberReport[]
  /** What was done to the links and the hub. */
  readonly disturbances: readonly string[]
  /** How often the hub was killed. */
  readonly restarts: number
}

interface Subscribing {
  readonly client: Client
  readonly pattern: string
  /** How many events match. */
  readonly expected: number
}

/** Runs once. */
export class Job {
  readonly #source: EventSource
  readonly #events: EventList
  readonly #progress: Progress
  readonly #processes: Processes
  readonly #clients: Client[] = []
  readonly #failed: Promise<never>
  #fail: (error: Error) => void = () => {}

  constructor(source: EventSource, events: EventList, progress: Progress) {
    this.#source = source
    this.#events = events
    this.#progress = progress
    this.#failed = new Promise((_resolve, reject) => {
      this.#fail = reject
    })
    this.#processes = new Processes((error) => this.#fail(error))
  }

  /** Ends the job: `run` rejects with this error. */
  abort(error: Error): void {
    this.#fail(error)
  }

  /** Rejects with the first failure. Either way every process and socket is gone then. */
  async run(): Promise<JobReport> {
    const limitMs = 60_000 + this.#events.total * 5
    const deadline = setTimeout(() => {
      this.#fail(new JobError(`The job did not end within ${limitMs / 1_000} s`))
    }, limitMs)
    try {
      return await Promise.race([this.#work(), this.#failed])
    } finally {
      clearTimeout(deadline)
      this.#progress.stop()
      await this.#processes.end()
      await Promise.all(this.#clients.map((client) => client.close()))
    }
  }

  async #work(): Promise<JobReport> {
    const { total } = this.#events
    const hub = await HubChild.start(this.#processes)
    const publisher = await this.#start('publisher', 'published', total, hub)
    const subscribing = await Promise.all(
      SUBSCRIBERS.map(({ name, pattern }) => this.#subscribe(name, pattern, hub)),
    )
    const where = `the hub (process ${hub.pid}) listens on port ${hub.port}`
    this.#progress.say('green', `${where}, two subscribers are live`)
    const disturbances = new Disturbances(total, {
      cutPublisher: () => this.#cut("the publisher's link", [publisher]),
      cutSubscribers: () =>
        this.#cut(
          "the subscribers' links",
          subscribing.map(({ client }) => client),
        ),
      restartHub: () => hub.restart(this.#progress),
    })
    if (disturbances.ahead === 0) {
      this.#progress.say('dim', 'no link is cut: these are too few events for it')
    }
    publisher.onProgress = (events) => disturbances.reached(events)
    this.#progress.show([publisher, ...subscribing.map(({ client }) => client)].map(barOf))
    const order = { kind: 'publish', url: publisher.url, source: this.#source } as const
    const { report } = await publisher.ask(order, 'published')
    await disturbances.settled()
    this.#progress.say('green', 'all is confirmed; the subscribers say what they have')
    const received = await Promise.all(
      subscribing.map(({ client, expected }) =>
        client.ask({ kind: 'finish', expected }, 'received'),
      ),
    )
    const subscribers = received.map((news) => news.report)
    return {
      publisher: report,
      subscribers,
      disturbances: disturbances.done,
      restarts: hub.restarts,
    }
  }

  async #subscribe(name: string, pattern: string, hub: HubChild): Promise<Subscribing> {
    const expected = this.#count(pattern)
    const client = await this.#start('subscriber', name, expected, hub)
    await client.ask({ kind: 'subscribe', url: client.url, pattern }, 'subscribed')
    return { client, pattern, expected }
  }

  async #start(
    role: 'publisher' | 'subscriber',
    name: string,
    of: number,
    hub: HubChild,
  ): Promise<Client> {
    const client = await startClient({
      role,
      name: role === 'publisher' ? role : name,
      hubPort: hub.port,
      bar: { name, of, events: 0 },
      processes: this.#processes,
      progress: this.#progress,
    })
    this.#clients.push(client)
    return client
  }

  #cut(what: string, clients: readonly Client[]): void {
    this.#progress.say('red', `cutting ${what}`)
    for (const client of clients) client.cut()
  }

  #count(pattern: string): number {
    let count = 0
    for (let sequence = 1; sequence <= this.#events.total; sequence++) {
      if (matches(pattern, this.#events.at(sequence).type)) count++
    }
    return count
  }
}

function barOf({ bar }: Client): Client['bar'] {
  return bar
}
