/** A stream that somebody else owns: it is written to, and never ended. */
import type { Writable } from 'node:stream'
import type { TargetPort } from './target.ts'

/** A failing stream fails the recording, not the process: its errors are listened to as long as the recorder lives. */
export class StreamTarget implements TargetPort {
  readonly #stream: Writable
  readonly #onError: (error: Error) => void

  /** @param failed - called with an error that the stream emitted by itself */
  constructor(stream: Writable, failed: (error: Error) => void) {
    this.#stream = stream
    this.#onError = failed
    stream.on('error', this.#onError)
  }

  /** Resolves when the stream is done with the text, so that a slow one slows the writing down. */
  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => {
        if (error === null || error === undefined) resolve()
        else reject(error)
      })
    })
  }

  /** What becomes of it is up to the stream. */
  writeLast(text: string): void {
    if (text !== '') this.#stream.write(text)
  }

  async close(): Promise<void> {
    // A write that failed emits its error once more in a later turn.
    await new Promise((resolve) => setImmediate(resolve))
    this.#stream.off('error', this.#onError)
  }
}
