/** A child process that a test freezes, thaws and talks to, line by line. It ends with the test. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { until } from './harness.ts'

const root = new URL('..', import.meta.url)

/** Runs a script against the built packages. */
export class Kid {
  /** What it printed so far. */
  readonly lines: string[] = []
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>
  readonly #process: ChildProcessWithoutNullStreams
  #errors = ''

  constructor(script: string) {
    const flags = ['--expose-gc', '--input-type=module']
    this.#process = spawn(process.execPath, [...flags, '-e', PRELUDE + script], { cwd: root })
    this.#process.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()))
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.lines.push(line))
    this.ended = new Promise((resolve) => {
      this.#process.once('close', (code, signal) => resolve({ code, signal }))
    })
    onTestFinished(() => void this.#process.kill('SIGKILL'))
  }

  /** Resolves with the rest of the first line that begins so, now or later. */
  async says(start: string): Promise<string> {
    const line = (): string | undefined => this.lines.find((l) => l.startsWith(`${start} `))
    await until(() => line() !== undefined || this.#process.exitCode !== null, start, 15_000)
    const found = line()
    if (found === undefined) throw new Error(`The child ended: ${this.#errors}`)
    return found.slice(start.length + 1)
  }

  /** Asks it for something: a line, which it answers with a line that begins the same. */
  async ask(what: string): Promise<string> {
    this.#process.stdin.write(`${what}\n`)
    return await this.says(what)
  }

  /** Stops the process; its kernel goes on acknowledging what comes. Resolves when it stands. */
  async freeze(): Promise<void> {
    this.#process.kill('SIGSTOP')
    await until(() => this.#state === 'T', 'the child stands')
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.#process.kill(name)
  }

  /** Lets it go on. */
  thaw(): void {
    this.#process.kill('SIGCONT')
  }

  get #state(): string {
    // Elsewhere the signal is all that there is.
    if (process.platform !== 'linux') return 'T'
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  }
}

/** What every script has: `say(word, value)`, and `answers({ word: () => value })`. */
const PRELUDE = `
  import { createInterface } from 'node:readline'
  const say = (word, value) => process.stdout.write(word + ' ' + JSON.stringify(value) + '\\n')
  const answers = (table) => createInterface({ input: process.stdin }).on('line', async (word) => {
    say(word, await table[word]())
  })
`
