/** What a case leaves behind in the process: unhandled rejections, warnings, open resources and garbage. */
import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { CountingClock } from '../world/world.ts'
import type { CaseWaits } from '../world/waiting.ts'

/** Short-lived resources, or resources of the test runner, which no transport keeps. */
const PASSING: ReadonlySet<string> = new Set(['Immediate', 'FSReqCallback', 'FSReqPromise'])

type Listener = (...args: unknown[]) => void

/**
 * Takes over the process's `unhandledRejection` and `warning` while a case runs, so that they fail this case and nothing
 * else, and gives them back at the end.
 */
export class LeakWatch {
  readonly #baseline = openResources()
  readonly #complaints: string[] = []
  readonly #giveBack: readonly (() => void)[]

  constructor() {
    this.#giveBack = [
      takeOver('unhandledRejection', (reason) => this.#complain('unhandled rejection', reason)),
      takeOver('warning', (warning) => {
        if ((warning as Error).name !== 'ExperimentalWarning') this.#complain('warning', warning)
      }),
    ]
  }

  /** Call it when everything is closed. Rejects with what is left once the time is up. */
  async expectNothingLeft(waiting: CaseWaits, clock: CountingClock): Promise<void> {
    await waiting.until(
      () => clock.pending === 0 && this.#leftOpen().length === 0,
      'no timer, socket or listener to be left after close',
      () => [...this.#leftOpen(), ...(clock.pending > 0 ? [`${clock.pending} timers`] : [])],
    )
    // An unhandled rejection is reported in the next iteration of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(this.#complaints, [], 'no unhandled rejection and no warning of the process')
  }

  [Symbol.dispose](): void {
    for (const giveBack of this.#giveBack) giveBack()
  }

  #complain(kind: string, what: unknown): void {
    const text = what instanceof Error ? `${what.name}: ${what.message}` : String(what)
    this.#complaints.push(`${kind}: ${text}`)
  }

  #leftOpen(): string[] {
    return [...openResources()].flatMap(([type, count]) => {
      const extra = count - (this.#baseline.get(type) ?? 0)
      return extra > 0 ? [`${extra} ${type}`] : []
    })
  }
}

/** The counts of what keeps the process alive, by type. */
function openResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const type of process.getActiveResourcesInfo()) {
    if (!PASSING.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1)
  }
  return counts
}

/** Replaces the listeners of the event by this one; the returned function restores them. */
function takeOver(name: 'unhandledRejection' | 'warning', listener: Listener): () => void {
  const emitter: NodeJS.EventEmitter = process
  const others = emitter.listeners(name) as Listener[]
  emitter.removeAllListeners(name)
  emitter.on(name, listener)
  return () => {
    emitter.off(name, listener)
    for (const other of others) emitter.on(name, other)
  }
}

/** Runs a full collection. Node gives the function only to those who ask V8 for it. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
