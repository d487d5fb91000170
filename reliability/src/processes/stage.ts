/** The stage of a case: its hub and its actors, which end with it. */
import type { WatchedHubSettings } from '../hub/watched-hub.ts'
import type { WatchedHubDuties } from '../hub/watched-hub-process.ts'
import { Child, type ChildOptions, type Ending } from '../process/child.ts'
import type { ActorOrder } from './actor.ts'
import type { ActorDuties } from './actor-process.ts'

/** Milliseconds that anything may take. */
const DEADLINE_MS = 20_000
/** Milliseconds between two looks. */
const LOOK_MS = 20

/** A process that was let go, and how long it went on. */
export interface Departure extends Ending {
  readonly inTime: boolean
}

/** Milliseconds in which a process ends by itself once nothing holds it. */
const EXIT_MS = 1_000

/** Ends with its case. */
export class Stage implements AsyncDisposable {
  readonly #children: AsyncDisposable[] = []

  /** A hub that listens. */
  async hub(
    settings: WatchedHubSettings = {},
    port = 0,
  ): Promise<{ hub: Child<WatchedHubDuties>; port: number; url: string }> {
    const module = new URL('../hub/watched-hub-process.js', import.meta.url)
    const hub = this.#own(await Child.start<WatchedHubDuties>(module))
    const listening = await hub.ask('listen', { settings, port })
    return { hub, port: listening, url: `ws://127.0.0.1:${listening}` }
  }

  /** An actor that has entered. */
  async actor(order: ActorOrder, options: ChildOptions = {}): Promise<Child<ActorDuties>> {
    const module = new URL('actor-process.js', import.meta.url)
    const actor = this.#own(await Child.start<ActorDuties>(module, options))
    await actor.ask('enter', order)
    return actor
  }

  /** An actor that has subscribed. */
  async subscriber(
    order: ActorOrder,
    options: { hangAt?: number } = {},
  ): Promise<Child<ActorDuties>> {
    const actor = await this.actor(order)
    await actor.ask('subscribe', options)
    return actor
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child[Symbol.asyncDispose]()))
  }

  #own<T extends AsyncDisposable>(child: T): T {
    this.#children.push(child)
    return child
  }
}

/** Lets go of a process, and sees whether it ends by itself. */
export async function depart(child: Child<{ letGo: () => void }>): Promise<Departure> {
  await child.ask('letGo')
  const startedAt = performance.now()
  const timer = setTimeout(() => child.signal('SIGKILL'), DEADLINE_MS)
  const ending = await child.ending
  clearTimeout(timer)
  return { ...ending, inTime: performance.now() - startedAt <= EXIT_MS }
}

/** Looks until it is so. @throws when that takes too long */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`Not within ${DEADLINE_MS} ms: ${what}`)
    await pass(LOOK_MS)
  }
}

/** Lets time pass, where nothing is what must happen. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** What a case says of a list of numbers: 0, 1, 2 … without a hole, a double or a swap. */
export function countOf(numbers: readonly number[]): number | string {
  const wrong = numbers.findIndex((n, i) => n !== i)
  return wrong === -1 ? numbers.length : `${numbers[wrong]} stands where ${wrong} belongs`
}
