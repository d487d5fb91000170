/** Waiting: a promise that somebody else settles, and that ends with a signal at the latest. */

/** The other end of the promise. Only the first call counts. */
export interface Waiting<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

/** @param register - gets the other end; it is called at once */
export function waitWithin<T>(
  signal: AbortSignal,
  register: (waiting: Waiting<T>) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    const end = (): void => signal.removeEventListener('abort', onAbort)
    signal.addEventListener('abort', onAbort, { once: true })
    register({
      resolve: (value) => {
        end()
        resolve(value)
      },
      reject: (error) => {
        end()
        reject(error)
      },
    })
  })
}
