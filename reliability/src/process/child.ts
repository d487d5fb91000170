/** A child: a process of a run that does what it is asked and answers; ends with its run. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Answer, Duties, Question } from './duties.ts'

/** Milliseconds that a child may take to answer, by default. */
const DEADLINE_MS = 120_000

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ChildOptions {
  /** Lets it collect garbage when asked. @default false */
  readonly canCollect?: boolean
  /** More options of Node. @default none */
  readonly execArgv?: readonly string[]
  /** Whether what it says of its end is not shown, because it is meant to fail. @default false */
  readonly isMeantToFail?: boolean
}

interface Pending {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/** The parent's end. Whatever it is asked is answered, or fails with the process. */
export class Child<D extends Duties<D>> implements AsyncDisposable {
  /** How it ended. */
  readonly ending: Promise<Ending>
  readonly #process: ChildProcess
  readonly #pending = new Map<number, Pending>()
  #questions = 0

  private constructor(process: ChildProcess) {
    this.#process = process
    process.on('message', (answer) => this.#hear(answer as Answer))
    this.ending = once(process, 'exit').then(([code, signal]: unknown[]) => {
      this.#failAll(new Error(`A child ended: code ${String(code)}, signal ${String(signal)}`))
      return { code: code as number | null, signal: signal as NodeJS.Signals | null }
    })
  }

  /** Loads a module that calls `serve`. @returns when it has */
  static async start<D extends Duties<D>>(
    module: URL,
    { canCollect = false, execArgv = [], isMeantToFail = false }: ChildOptions = {},
  ): Promise<Child<D>> {
    const process = fork(module, {
      stdio: ['ignore', 'ignore', isMeantToFail ? 'ignore' : 'inherit', 'ipc'],
      execArgv: [...(canCollect ? ['--expose-gc'] : []), ...execArgv],
      serialization: 'advanced',
    })
    const child = new Child<D>(process)
    const hasFailed = child.ending.then(() => {
      throw new Error(`${module.pathname} could not be loaded`)
    })
    // Once it is loaded, its end rejects nothing any more.
    hasFailed.catch(() => {})
    await Promise.race([once(process, 'message'), hasFailed])
    return child
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** Asks for a duty. @returns what it answers; rejects with what it threw, or when it ends before */
  async ask<K extends keyof D & string>(
    duty: K,
    ...[order]: Parameters<D[K]>
  ): Promise<Awaited<ReturnType<D[K]>>> {
    const id = ++this.#questions
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
    })
    const timer = setTimeout(() => {
      this.#take(id)?.reject(new Error(`No answer to ${duty} within ${DEADLINE_MS} ms`))
    }, DEADLINE_MS)
    const question: Question = { id, duty, order }
    this.#process.send(question, (error) => {
      if (error !== null) this.#take(id)?.reject(error)
    })
    try {
      return (await answer) as Awaited<ReturnType<D[K]>>
    } finally {
      clearTimeout(timer)
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGKILL')
    }
    await this.ending
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #hear(answer: Answer): void {
    const pending = this.#take(answer.id)
    if ('error' in answer) pending?.reject(new Error(answer.error))
    else pending?.resolve(answer.answer)
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}
