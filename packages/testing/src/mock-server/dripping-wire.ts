/** A socket whose first write, the answer to the handshake, leaves one byte at a time. */
import { Duplex } from 'node:stream'
import type { Clock, Timer } from '@bus/core'

type Done = (error?: Error | null) => void

/** Reads as the socket does; writes the answer in drips, and all that follows at once. */
export class DrippingWire extends Duplex {
  readonly #socket: Duplex
  readonly #intervalMs: number
  readonly #clock: Clock
  #state: 'waiting' | 'dripping' | 'answered' = 'waiting'
  #timer: Timer | undefined

  constructor(socket: Duplex, intervalMs: number, clock: Clock) {
    super()
    this.#socket = socket
    this.#intervalMs = intervalMs
    this.#clock = clock
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause()
    })
    socket.once('end', () => {
      // A client that leaves before the whole answer is there has given up.
      if (this.#state === 'answered') this.push(null)
      else this.destroy()
    })
    socket.once('close', () => this.destroy())
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#state === 'answered') {
      this.#socket.write(chunk, done)
      return
    }
    this.#state = 'dripping'
    this.#drip(chunk, 0, done)
  }

  override _final(done: Done): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: Done): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#socket.destroy()
    done(error)
  }

  #drip(answer: Buffer, at: number, done: Done): void {
    this.#socket.write(answer.subarray(at, at + 1))
    if (at + 1 < answer.length) {
      const next = (): void => this.#drip(answer, at + 1, done)
      this.#timer = this.#clock.setTimeout(next, this.#intervalMs)
    } else {
      this.#state = 'answered'
      done()
    }
  }
}
