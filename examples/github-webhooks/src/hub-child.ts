/** The hub's process, seen from the parent: it can be killed and comes back on its port. */
import type { Child, Processes } from './processes.ts'
import type { Progress } from './progress.ts'

/** The hub as a child. */
export class HubChild {
  readonly port: number
  /** How often it was killed. */
  restarts = 0
  #child: Child
  readonly #processes: Processes

  private constructor(child: Child, port: number, processes: Processes) {
    this.#child = child
    this.port = port
    this.#processes = processes
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  static async start(processes: Processes): Promise<HubChild> {
    const { child, port } = await startHub(processes, 0)
    return new HubChild(child, port, processes)
  }

  /** Kills it without any warning and starts another one. */
  async restart(progress: Progress): Promise<void> {
    progress.say('red', `killing the hub (SIGKILL to process ${this.#child.pid})`)
    await this.#child.kill()
    this.restarts++
    const { child } = await startHub(this.#processes, this.port)
    this.#child = child
    progress.say('green', `the hub is back (process ${child.pid})`)
  }
}

async function startHub(
  processes: Processes,
  port: number,
): Promise<{ readonly child: Child; readonly port: number }> {
  const child = processes.start('hub-process', 'hub')
  const news = await child.ask({ kind: 'listen', port }, 'listening')
  return { child, port: news.port }
}
