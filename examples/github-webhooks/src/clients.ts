/** The clients of the hub: each a process, with a relay between it and the hub. */
import type { NewsOf, News, Order } from './messages.ts'
import { startLinkCutter, type LinkCutter } from './link-cutter.ts'
import { JobError, type Child, type Processes } from './processes.ts'
import type { Bar, Progress } from './progress.ts'

/** What it takes to start a client. */
export interface ClientOptions {
  readonly role: 'publisher' | 'subscriber'
  /** What it is called in the view. */
  readonly name: string
  readonly hubPort: number
  readonly bar: Bar
  readonly processes: Processes
  readonly progress: Progress
}

/** One client. */
export class Client {
  readonly bar: Bar
  /** Called with the number of events so far. */
  onProgress: (events: number) => void = () => {}
  readonly #cutter: LinkCutter
  readonly #child: Child
  readonly #options: ClientOptions
  #lostAt = 0

  constructor(options: ClientOptions, cutter: LinkCutter) {
    this.bar = options.bar
    this.#options = options
    this.#cutter = cutter
    const { role, name, processes } = options
    const title = role === 'subscriber' ? `subscriber of ${name}` : name
    this.#child = processes.start(role, title, (news) => this.#hear(news))
  }

  /** Where the client finds the hub: at the relay. */
  get url(): string {
    return `ws://127.0.0.1:${this.#cutter.port}`
  }

  ask<K extends News['kind']>(order: Order, answer: K): Promise<NewsOf<K>> {
    return this.#child.ask(order, answer)
  }

  cut(): void {
    this.#cutter.cut()
  }

  close(): Promise<void> {
    return this.#cutter.close()
  }

  #hear(news: News): void {
    const { name, progress } = this.#options
    if (news.kind === 'progress') {
      this.bar.events = news.events
      progress.changed()
      this.onProgress(news.events)
    }
    if (news.kind !== 'link') return
    if (news.is === 'lost') {
      this.#lostAt = performance.now()
      progress.say('yellow', `${name}: the link is lost`)
    } else {
      const ms = Math.round(performance.now() - this.#lostAt)
      progress.say('green', `${name}: connected again after ${ms} ms`)
    }
  }
}

/** Starts a client that reaches the hub through a relay of its own. */
export async function startClient(options: ClientOptions): Promise<Client> {
  const cutter = await startLinkCutter(options.hubPort)
  if (!options.processes.isEnded) return new Client(options, cutter)
  await cutter.close()
  throw new JobError('The job has ended')
}
