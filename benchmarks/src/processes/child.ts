/** A child process that answers calls. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Answer, Call } from './call.ts'

interface Waiting {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/** How long a call may take: a peer that hangs must not hold up the run. */
const DEADLINE_MS = 120_000

/** A forked module that uses `serve`. Disposing of it ends the process. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #calls = 0
  #stderr = ''

  /**
   * @param file the module, beside this one
   * @param nodeOptions options of Node for this process
   */
  constructor(file: string, nodeOptions: readonly string[] = []) {
    this.#process = fork(new URL(file, import.meta.url), {
      execArgv: ['--expose-gc', ...nodeOptions],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-2_000)
    })
    this.#process.on('message', (answer) => this.#onAnswer(answer as Answer))
    this.#process.once('close', (code, signal) => {
      const message = `A process ended with ${signal ?? code}: ${this.#stderr.trim()}`
      for (const { reject } of this.#waiting.values()) reject(new Error(message))
    })
  }

  /** Resolves with what the method returned. */
  async call<T>(method: string, argument?: unknown): Promise<T> {
    const id = ++this.#calls
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject })
        const tooLate = (): void => reject(new Error(`${method} took over ${DEADLINE_MS} ms`))
        timer = setTimeout(tooLate, DEADLINE_MS)
        this.#process.send({ id, method, argument } satisfies Call, (error) => {
          if (error !== null) reject(error)
        })
      })
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(id)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    // It ends by itself, and its own children with it, when the channel closes.
    this.#process.disconnect()
    await ended
  }

  #onAnswer(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    if ('error' in answer) waiting?.reject(new Error(answer.error))
    else waiting?.resolve(answer.result as never)
  }
}
