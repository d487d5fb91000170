/** A hub in a process of its own, from the built package: its memory, its limits and its signals are not those of the test. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import type { HubOptions, HubStats } from '../src/hub/index.ts'

/** What the child answers. `memory`: bytes, after a garbage collection. */
interface Answers {
  readonly stats: HubStats
  readonly memory: number
  /** Milliseconds that the event loop was held up at most since it was asked last. */
  readonly stall: number
  /** Whether the process can open one more file. */
  readonly file: boolean
  /** The hub is closed; milliseconds that it took. */
  readonly close: number
}

export interface HubChildOptions {
  /** What of the options survives JSON. */
  readonly hub?: HubOptions
  /** Files and sockets that the process may have open. @default as many as the test */
  readonly maxFiles?: number
}

const SCRIPT = `
import { closeSync, openSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createHub } from '@bus/websocket/hub'
const hub = await createHub({ allowAnonymous: true, ...JSON.parse(process.env.HUB_OPTIONS) })
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const answers = {
  stats: () => hub.stats(),
  memory: () => {
    gc()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  },
  stall: () => {
    const ms = delay.max / 1e6
    delay.reset()
    return ms
  },
  file: () => {
    try {
      closeSync(openSync('/dev/null'))
      return true
    } catch {
      return false
    }
  },
  close: async () => {
    const startedAt = performance.now()
    await hub.close()
    return performance.now() - startedAt
  },
}
process.on('message', async (question) => {
  const answer = await answers[question]()
  process.send({ question, answer })
  if (question === 'close') process.disconnect()
})
process.send({ question: 'start', answer: hub.url })
`

/** Ends with the test. */
export class HubChild {
  readonly process: ChildProcess
  readonly url: string

  constructor(child: ChildProcess, url: string) {
    this.process = child
    this.url = url
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  async ask<K extends keyof Answers>(question: K): Promise<Answers[K]> {
    const answer = answerTo<Answers[K]>(this.process, question)
    this.process.send(question)
    return await answer
  }
}

export async function startHubChild(options: HubChildOptions = {}): Promise<HubChild> {
  const node = [process.execPath, '--expose-gc', '--input-type=module', '-e', SCRIPT]
  const { maxFiles } = options
  // The shell becomes the process itself, so that signals and messages reach it.
  const [command = '', ...args] =
    maxFiles === undefined ? node : ['sh', '-c', `ulimit -n ${maxFiles} && exec "$0" "$@"`, ...node]
  const child = spawn(command, args, {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, HUB_OPTIONS: JSON.stringify(options.hub ?? {}) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return new HubChild(child, await answerTo<string>(child, 'start'))
}

async function answerTo<T>(child: ChildProcess, question: string): Promise<T> {
  const over = new AbortController()
  const { signal } = over
  const gone = once(child, 'exit', { signal }).then(() => {
    throw new Error(`The child ended before it answered: ${question}`)
  })
  // A process that has its answer needs no more.
  gone.catch(() => {})
  try {
    for (;;) {
      const said = Promise.race([once(child, 'message', { signal }), gone])
      const [message] = (await said) as [{ question: string; answer: T }]
      if (message.question === question) return message.answer
    }
  } finally {
    over.abort()
  }
}
