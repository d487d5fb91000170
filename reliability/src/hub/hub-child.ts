/** A hub in a process of its own, which can be killed and comes back on its port. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { HubNews, HubSettings, ListenOrder } from './orders.ts'

/** Milliseconds that the process may take for anything. */
const DEADLINE_MS = 30_000

/** Ends with its run. The next process is always loaded, so that a restart takes milliseconds. */
export class HubChild implements AsyncDisposable {
  readonly #settings: HubSettings
  #running: ChildProcess
  #next: Promise<ChildProcess>
  #port = 0
  restarts = 0

  private constructor(settings: HubSettings, running: ChildProcess) {
    this.#settings = settings
    this.#running = running
    this.#next = load()
  }

  static async start(settings: HubSettings): Promise<HubChild> {
    const hub = new HubChild(settings, await load())
    await hub.#listen()
    return hub
  }

  get port(): number {
    return this.#port
  }

  /** Where clients connect. */
  get url(): string {
    return `ws://127.0.0.1:${this.#port}`
  }

  /** Kills it without any warning; another one takes its place. */
  async restart(): Promise<void> {
    await kill(this.#running)
    this.#running = await this.#next
    this.#next = load()
    await this.#listen()
    this.restarts++
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await kill(this.#running)
    await kill(await this.#next)
  }

  async #listen(): Promise<void> {
    const order: ListenOrder = { kind: 'listen', port: this.#port, settings: this.#settings }
    this.#running.send(order)
    const news = await hear(this.#running)
    if (news.kind !== 'listening') throw new Error(`The hub did not start: ${JSON.stringify(news)}`)
    this.#port = news.port
  }
}

async function load(): Promise<ChildProcess> {
  const child = fork(new URL('hub-process.js', import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  })
  await hear(child)
  return child
}

async function hear(child: ChildProcess): Promise<HubNews> {
  const [news] = (await once(child, 'message', {
    signal: AbortSignal.timeout(DEADLINE_MS),
  })) as [HubNews]
  return news
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
