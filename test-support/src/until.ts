/** Waiting for a condition with a deadline, in tests. */

/** Resolves as soon as the condition holds; rejects after `timeoutMs`. */
export async function until(condition: () => boolean, timeoutMs = 100_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) {
      throw new Error(`Not within ${String(timeoutMs)} ms: ${String(condition)}`)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A promise that is settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export function deferred<T = void>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return {
    promise,
    resolve: (value) => settle?.resolve(value),
    reject: (error) => settle?.reject(error),
  }
}

/** What a promise has come to by now, without waiting for it. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'done' | 'failed'> {
  const pending = Symbol('pending')
  // Enough turns for every chain of promises in here.
  await new Promise((resolve) => setImmediate(resolve))
  return Promise.race([promise, Promise.resolve(pending)]).then(
    (value) => (value === pending ? 'pending' : 'done'),
    () => 'failed' as const,
  )
}
