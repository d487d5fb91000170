/** The child processes of the job: starts them, hears them, and ends those and no others. */
import { fork, type ChildProcess } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { News, NewsOf, Order } from './messages.ts'

/** The modules that run in a process of their own. */
export type Role = 'hub-process' | 'publisher' | 'subscriber'

/** How long a child may take to end by itself once it is asked to. */
const END_MS = 2_000

/** The job cannot go on. */
export class JobError extends Error {
  override readonly name = 'JobError'
}

/** Starts children and reports the first that fails. */
export class Processes {
  readonly #children = new Set<Child>()
  readonly #onFailure: (error: JobError) => void
  #isEnded = false

  constructor(onFailure: (error: JobError) => void) {
    this.#onFailure = onFailure
  }

  /** No further process is started. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  start(role: Role, name: string, onNews: (news: News) => void = () => {}): Child {
    if (this.#isEnded) throw new JobError('The job has ended')
    // The children are sources when we are, and built when we are.
    const file = new URL(`./${role}${extname(import.meta.url)}`, import.meta.url)
    const child = new Child(name, fork(fileURLToPath(file), { stdio: 'inherit' }), {
      news: onNews,
      failed: (error) => this.#onFailure(error),
      ended: () => this.#children.delete(child),
    })
    this.#children.add(child)
    return child
  }

  /** Ends all that still run. */
  async end(): Promise<void> {
    this.#isEnded = true
    await Promise.all([...this.#children].map((child) => child.end()))
  }
}

interface ChildPorts {
  news(news: News): void
  failed(error: JobError): void
  ended(): void
}

/** One child process. */
export class Child {
  readonly name: string
  readonly exited: Promise<void>
  readonly #process: ChildProcess
  readonly #awaited = new Map<News['kind'], (news: News) => void>()
  #isEnding = false

  constructor(name: string, process: ChildProcess, ports: ChildPorts) {
    this.name = name
    this.#process = process
    this.exited = new Promise((resolve) => {
      // It could not be started: only `error` follows.
      if (process.pid === undefined) resolve()
      process.on('exit', (code, signal) => {
        ports.ended()
        resolve()
        if (this.#isEnding) return
        const how = signal === null ? `with exit code ${code}` : `by ${signal}`
        ports.failed(new JobError(`The ${name} (process ${process.pid}) ended unexpectedly ${how}`))
      })
    })
    process.on('error', (cause) => {
      if (this.#isEnding) return
      ports.failed(new JobError(`The ${name} failed: ${cause.message}`, { cause }))
    })
    process.on('message', (message) => {
      const news = message as News
      if (news.kind === 'failed') ports.failed(new JobError(`The ${name} failed: ${news.message}`))
      this.#awaited.get(news.kind)?.(news)
      this.#awaited.delete(news.kind)
      ports.news(news)
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Gives the order and resolves with the news that answers it. */
  ask<K extends News['kind']>(order: Order, answer: K): Promise<NewsOf<K>> {
    return new Promise((resolve) => {
      this.#awaited.set(answer, (news) => resolve(news as NewsOf<K>))
      this.#process.send(order)
    })
  }

  /** Ends the process without any warning. */
  async kill(): Promise<void> {
    this.#isEnding = true
    this.#process.kill('SIGKILL')
    await this.exited
  }

  /** Lets the process end by itself, and kills it when it does not. */
  async end(): Promise<void> {
    this.#isEnding = true
    if (this.#process.connected) this.#process.disconnect()
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), END_MS)
    await this.exited
    clearTimeout(timer)
  }
}
