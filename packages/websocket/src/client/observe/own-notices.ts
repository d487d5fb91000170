/** The listeners of one handle, which hear what its rooms tell as long as they are its own. */
import type { ListenOptions, TransportEvents, Unsubscribe } from '@bus/core'
import { Emitter } from '@bus/core/kit'

/** Follows a notice of the rooms from the first listener on. */
export class OwnNotices {
  readonly #source: Emitter<TransportEvents>
  #isClosed = false
  readonly #followed = new Map<keyof TransportEvents, Unsubscribe>()
  readonly #emitter: Emitter<TransportEvents> = new Emitter<TransportEvents>((error, name) => {
    // A listener of errors that throws must not be called about itself.
    if (name === 'error') return
    const told = error instanceof Error ? error : new Error(String(error))
    this.#source.emit('error', { kind: 'listener', error: told })
  })

  constructor(source: Emitter<TransportEvents>) {
    this.#source = source
  }

  on<K extends keyof TransportEvents>(
    name: K,
    listener: (notice: TransportEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    // Who listens to what is over hears nothing, and leaves nothing behind.
    if (this.#isClosed) return Object.assign(() => {}, { [Symbol.dispose]: () => {} })
    if (!this.#followed.has(name)) this.#follow(name)
    return this.#emitter.on(name, listener, options)
  }

  /** Tells whoever listens here, and nobody else. */
  tell<K extends keyof TransportEvents>(name: K, notice: TransportEvents[K]): void {
    this.#emitter.emit(name, notice)
  }

  /** Forgets every listener, and follows nothing any more. */
  close(): void {
    this.#isClosed = true
    for (const stop of this.#followed.values()) stop()
    this.#followed.clear()
    this.#emitter.clear()
  }

  #follow(name: keyof TransportEvents): void {
    this.#followed.set(
      name,
      this.#source.on(name, (notice) => this.#emitter.emit(name, notice)),
    )
  }
}
