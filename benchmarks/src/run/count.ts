/** A count that grows, and that others wait for without asking again and again. */

/** How long nothing may be added before what is missing counts as lost. */
const QUIET_MS = 5_000

interface Waiter {
  readonly goal: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Counts up. A wait ends when the goal is reached, when counting failed, or when nothing more comes. */
export class Count {
  readonly #what: string
  #value = 0
  #nextGoal = Infinity
  #waiters: Waiter[] = []
  #failure: { readonly error: unknown } | undefined

  /** @param what is counted, for messages: `arrived` */
  constructor(what: string) {
    this.#what = what
  }

  get value(): number {
    return this.#value
  }

  add(more: number): void {
    this.#value += more
    if (this.#value >= this.#nextGoal) this.#release()
  }

  /** Rejects every wait, now and later. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    for (const { reject } of this.#waiters) reject(error)
  }

  /** Resolves once that many are counted. */
  async until(goal: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#value >= goal) return
    let last = this.#value
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiters.push({ goal, resolve, reject })
        this.#nextGoal = Math.min(this.#nextGoal, goal)
        timer = setInterval(() => {
          if (this.#value === last) reject(this.#stuck(goal))
          last = this.#value
        }, QUIET_MS)
      })
    } finally {
      clearInterval(timer)
    }
  }

  #stuck(goal: number): Error {
    return new Error(`Of ${goal} only ${this.#value} ${this.#what}, and no more for ${QUIET_MS} ms`)
  }

  #release(): void {
    const reached = this.#waiters.filter(({ goal }) => goal <= this.#value)
    this.#waiters = this.#waiters.filter(({ goal }) => goal > this.#value)
    this.#nextGoal = Math.min(Infinity, ...this.#waiters.map(({ goal }) => goal))
    for (const { resolve } of reached) resolve()
  }
}
