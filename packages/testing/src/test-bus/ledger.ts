/** The ledger of a test bus: what happened to its events, as a middleware sees it. */
import type { DeadLetter, Event, Middleware } from '@bus/core'

/** Keeps everything: a test ends soon, and asks for what was long ago. */
export class Ledger {
  readonly published: Event[] = []
  readonly consumed: Event[] = []
  readonly deadLetters: DeadLetter[] = []
  readonly middleware: Middleware
  readonly #changed: () => void
  #publishing = 0

  /** @param changed - called after everything that is noted */
  constructor(changed: () => void) {
    this.#changed = changed
    this.middleware = {
      publish: async (event, next) => {
        this.#publishing++
        try {
          const receipt = await next(event)
          this.published.push(event)
          return receipt
        } finally {
          this.#publishing--
          this.#changed()
        }
      },
      deliver: (event, next) => {
        const handled = next(event)
        if (handled === undefined) return this.#consume(event)
        return handled.then(() => this.#consume(event))
      },
    }
  }

  /** Publishes that have not ended. */
  get publishing(): number {
    return this.#publishing
  }

  deadLetter(letter: DeadLetter): void {
    this.deadLetters.push(letter)
    this.#changed()
  }

  #consume(event: Event): void {
    this.consumed.push(event)
    this.#changed()
  }
}
