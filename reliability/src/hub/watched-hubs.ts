/** Hubs in a process of its own that is watched: what it prints, how its loop and its memory do, and what its hubs count. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { HubStats } from '@bus/websocket/hub'
import type { WatchedLook, WatchedNews, WatchedOrder, WatchedSettings } from './watched-orders.ts'

/** Milliseconds that the process may take for anything. */
const DEADLINE_MS = 30_000

type Unnumbered<T> = T extends { readonly order: number } ? Omit<T, 'order'> : never

/** Ends with its run. */
export class WatchedHubs implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (news: WatchedNews) => void>()
  readonly #ports = new Map<string, number>()
  #printed = ''
  #orders = 0
  #isOver = false

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message) => {
      const news = message as WatchedNews
      this.#waiting.get(news.order)?.(news)
      this.#waiting.delete(news.order)
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data: Buffer) => (this.#printed += data.toString()))
    }
    child.once('exit', () => (this.#isOver = true))
  }

  /** @param execArgv - options of Node */
  static async start(execArgv: readonly string[] = []): Promise<WatchedHubs> {
    const child = fork(new URL('watched-process.js', import.meta.url), {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [...execArgv],
    })
    const hubs = new WatchedHubs(child)
    await once(child, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) })
    return hubs
  }

  /** Everything that the process wrote to stdout and stderr. */
  get printed(): string {
    return this.#printed
  }

  /** It ended by itself. */
  get hasCrashed(): boolean {
    return this.#isOver
  }

  /** Starts a hub. @returns its port */
  async open(name: string, settings: WatchedSettings): Promise<number> {
    const news = await this.#ask({ kind: 'open', name, settings })
    if (news.kind !== 'port') throw new Error(`Hub ${name} did not start: ${JSON.stringify(news)}`)
    this.#ports.set(name, news.port)
    return news.port
  }

  /** Where an open hub listens. */
  portOf(name: string): number {
    const port = this.#ports.get(name)
    if (port === undefined) throw new Error(`There is no hub ${name}`)
    return port
  }

  async stats(name: string): Promise<HubStats> {
    const news = await this.#ask({ kind: 'stats', name })
    if (news.kind !== 'stats') throw new Error(JSON.stringify(news))
    return news.stats
  }

  /** @returns how many sessions the principal had */
  async revoke(name: string, principal: string): Promise<number> {
    const news = await this.#ask({ kind: 'revoke', name, principal })
    if (news.kind !== 'revoked') throw new Error(JSON.stringify(news))
    return news.sessions
  }

  /** Forgets how long the loop was blocked so far. */
  async forget(): Promise<void> {
    await this.#ask({ kind: 'forget' })
  }

  async look(): Promise<WatchedLook> {
    const news = await this.#ask({ kind: 'look' })
    if (news.kind !== 'look') throw new Error(JSON.stringify(news))
    return news.look
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }

  #ask(order: Unnumbered<WatchedOrder>): Promise<WatchedNews> {
    const number = ++this.#orders
    return new Promise((resolve, reject) => {
      if (this.#isOver) {
        reject(new Error(`The hub's process is gone: ${this.#printed}`))
        return
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(number)
        reject(new Error(`No answer to ${order.kind} in ${DEADLINE_MS} ms: ${this.#printed}`))
      }, DEADLINE_MS)
      this.#waiting.set(number, (news) => {
        clearTimeout(timer)
        resolve(news)
      })
      this.#child.send({ ...order, order: number })
    })
  }
}
