/** Waiting in a case: for what must happen, and for what must not. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'

/** How long a case waits for what must happen, and how long it looks for what must not. */
export interface Timing {
  /** Milliseconds within which something that must happen happens. */
  readonly expectMs: number
  /** Milliseconds in which nothing more may happen. */
  readonly quietMs: number
}

/** Milliseconds between two looks at a condition. */
const LOOK_MS = 1

/** Waits in real time, on timers of the machine: those of the case's clock are counted. */
export class Waiting {
  readonly #timing: Timing

  constructor(timing: Timing) {
    this.#timing = timing
  }

  async until(condition: () => boolean, what: string, details?: () => unknown): Promise<void> {
    const { expectMs } = this.#timing
    const deadline = performance.now() + expectMs
    while (!condition()) {
      if (performance.now() > deadline) {
        const found = details === undefined ? '' : `: ${shown(details())}`
        assert.fail(`Expected ${what} within ${expectMs} ms${found}`)
      }
      await pause(LOOK_MS)
    }
  }

  async soon<T>(promise: Promise<T>, what: string): Promise<T> {
    return within(promise, this.#timing.expectMs, what)
  }

  quiet(): Promise<void> {
    return pause(this.#timing.quietMs)
  }
}

/** What the promise gives; rejects when it is not settled in time. What it does after that is nobody's concern. */
export async function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new assert.AssertionError({ message: `Expected ${what} within ${limitMs} ms` }))
    }, limitMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value)
}
