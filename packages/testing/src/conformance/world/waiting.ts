/** Waiting in a case: for what must happen, and for what must not. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { BusError, BusErrorCode, Outcome } from '@bus/core'

/** How long a case waits for what must happen, and how long it looks for what must not. */
export interface CaseTiming {
  /** Milliseconds within which something that must happen happens. */
  readonly expectMs: number
  /** Milliseconds in which nothing more may happen. */
  readonly quietMs: number
}

/** What an error says of itself, where a case insists on it. */
export interface ExpectedError {
  readonly code: BusErrorCode
  /** @default whatever it is */
  readonly outcome?: Outcome
}

/** Milliseconds between two looks at a condition. */
const LOOK_MS = 1

/** Waits in real time, on timers of the machine: those of the case's clock are counted. */
export class CaseWaits {
  readonly #timing: CaseTiming

  constructor(timing: CaseTiming) {
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

  /** As `until`, but every change of `progress` gives it as much time again: much work may take long. */
  async untilDone(isDone: () => boolean, progress: () => number, what: string): Promise<void> {
    const { expectMs } = this.#timing
    let last = progress()
    let deadline = performance.now() + expectMs
    while (!isDone()) {
      const now = progress()
      if (now !== last) deadline = performance.now() + expectMs
      last = now
      if (performance.now() > deadline) {
        assert.fail(`Expected ${what}: stuck at ${now} for ${expectMs} ms`)
      }
      await pause(LOOK_MS)
    }
  }

  async all<T>(promises: readonly Promise<T>[], what: string): Promise<T[]> {
    let settled = 0
    const count = (): void => void settled++
    const results = Promise.all(promises)
    // Watched, so that a rejection while it waits is not unhandled.
    results.catch(() => {})
    for (const promise of promises) promise.then(count, count)
    await this.untilDone(
      () => settled >= promises.length,
      () => settled,
      what,
    )
    return results
  }

  async soon<T>(promise: Promise<T>, what: string): Promise<T> {
    return within(promise, this.#timing.expectMs, what)
  }

  async rejects(promise: Promise<unknown>, expected: ExpectedError, what: string): Promise<void> {
    const error = await rejectionOf(this.soon(promise, `${what} to reject`))
    assert.ok(error !== undefined, `Expected ${what} to reject with ${expected.code}`)
    const { code, outcome } = error
    const said = expected.outcome === undefined ? { code } : { code, outcome }
    assert.deepEqual(said, expected, `${what}: ${inspect(error)}`)
  }

  quiet(): Promise<void> {
    return pause(this.#timing.quietMs)
  }
}

/** What the promise gives; rejects when it is not settled in time. Later settling is ignored. */
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

/** What it rejects with; `undefined` when it resolves. */
function rejectionOf(promise: Promise<unknown>): Promise<Partial<BusError> | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => error as Partial<BusError>,
  )
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value)
}
