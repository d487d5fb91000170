/** The crowds of a run, each in a process of its own, seen as one. */
import { Child } from '../process/child.ts'
import type { CrowdOrder, CrowdState } from './crowd.ts'
import type { CrowdDuties } from './crowd-process.ts'
import { add, NO_VERDICT, type Verdict } from './tally.ts'

/** End with their run. */
export class Crowds implements AsyncDisposable {
  readonly #children: readonly Child<CrowdDuties>[]

  private constructor(children: readonly Child<CrowdDuties>[]) {
    this.#children = children
  }

  static async start(processes: number): Promise<Crowds> {
    const module = new URL('crowd-process.js', import.meta.url)
    const starts = Array.from({ length: processes }, () => Child.start<CrowdDuties>(module))
    return new Crowds(await Promise.all(starts))
  }

  /** Everybody connects, one process after the other: the beginning is not what is measured. */
  async join(order: Omit<CrowdOrder, 'from' | 'to'>): Promise<void> {
    const { clients } = order.traffic
    const share = Math.ceil(clients / this.#children.length)
    for (const [i, child] of this.#children.entries()) {
      const from = i * share
      await child.ask('join', { ...order, from, to: Math.min(clients, from + share) })
    }
  }

  async state(): Promise<CrowdState> {
    const states = await Promise.all(this.#children.map((child) => child.ask('state')))
    const sum = (figure: keyof CrowdState): number =>
      states.reduce((total, state) => total + state[figure], 0)
    return {
      ready: sum('ready'),
      handled: sum('handled'),
      over: sum('over'),
      returns: sum('returns'),
    }
  }

  async verdict(): Promise<Verdict> {
    const verdicts = await Promise.all(this.#children.map((child) => child.ask('verdict')))
    return verdicts.reduce(add, NO_VERDICT)
  }

  async leave(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.ask('leave')))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child[Symbol.asyncDispose]()))
  }
}
