/** The tally of the fuzzer: what was sent, how links ended, and what went wrong at which input. */
import type { FuzzFailure, FuzzFigures } from './orders.ts'

/** Failures that are kept. */
const MAX_FAILURES = 20
/** Bytes of an input that are shown. */
const SHOWN_BYTES = 300

/** Of one part of the run. */
export class FuzzTally {
  links = 0
  /** Mishaps of the process that were entered. */
  mishaps = 0
  #inputs = 0
  #sends = 0
  #bytes = 0
  readonly #kinds: Record<string, number> = {}
  readonly #ends: Record<string, number> = {}
  readonly #failures: FuzzFailure[] = []

  get inputs(): number {
    return this.#inputs
  }

  sent(kind: string, bytes: Buffer, times: number): void {
    this.#inputs++
    this.#sends += times
    this.#bytes += bytes.length * times
    this.#kinds[kind] = (this.#kinds[kind] ?? 0) + 1
  }

  ended(how: string): void {
    this.#ends[how] = (this.#ends[how] ?? 0) + 1
  }

  failed(index: number, error: unknown, bytes: Buffer): void {
    if (this.#failures.length === MAX_FAILURES) return
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#failures.push({ index, what, bytes: bytes.subarray(0, SHOWN_BYTES).toString('base64') })
  }

  /** One that the process reported, at this input or shortly before it. */
  mishap(index: number, what: string, bytes: Buffer): void {
    this.mishaps++
    this.failed(index, what, bytes)
  }

  figures(): FuzzFigures {
    return {
      inputs: this.#inputs,
      sends: this.#sends,
      bytes: this.#bytes,
      kinds: this.#kinds,
      ends: this.#ends,
      links: this.links,
      failures: this.#failures,
    }
  }
}
