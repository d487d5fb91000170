/** Progress: one line a second on stderr, so that stdout holds nothing but the report. */

/** Tells how far a suite is until it is disposed of. */
export class Progress implements Disposable {
  readonly #timer: NodeJS.Timeout
  readonly #startedAt = performance.now()
  readonly #write: (line: string) => void

  /** @param describe - the figures of the moment */
  constructor(
    name: string,
    describe: () => string,
    write: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
  ) {
    this.#write = write
    this.#timer = setInterval(() => {
      const seconds = Math.round((performance.now() - this.#startedAt) / 1_000)
      this.#write(`${name} ${String(seconds).padStart(4)} s  ${describe()}`)
    }, 1_000)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
