/** Broken in its life: closing, draining, its status, and what it promises. */
import type {
  Capabilities,
  DrainReport,
  ListenOptions,
  Transport,
  TransportEvents,
  Unsubscribe,
} from '@bus/core'
import { Wrapped } from './wrapped.ts'
import type { Breaking } from './zoo-animal.ts'

/** Is insulted when it is closed twice. */
export class ClosesOnce extends Wrapped {
  #isClosed = false

  override close(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error('Closed already'))
    this.#isClosed = true
    return super.close()
  }
}

/** Leaves a timer behind that keeps the process alive. */
export class LeavesATimer extends Wrapped {
  readonly #timer: NodeJS.Timeout

  constructor(inner: Transport) {
    super(inner)
    // Long enough for any check; the process ends it.
    this.#timer = setInterval(() => {}, 10_000)
    setTimeout(() => clearInterval(this.#timer), 8_000).unref()
  }
}

/** Says that it is closed, and goes on delivering. */
export class DeliversAfterClose extends Wrapped {
  override close(): Promise<void> {
    return Promise.resolve()
  }
}

/** Takes the others of its medium along when it is closed. */
class ClosesOthers extends Wrapped {
  readonly #all: Set<Transport>

  constructor(inner: Transport, all: Set<Transport>) {
    super(inner)
    this.#all = all.add(inner)
  }

  override async close(): Promise<void> {
    await Promise.all([...this.#all].map((one) => one.close()))
  }
}

/** {@link ClosesOthers} */
export function closingOthers(): Breaking {
  const all = new Set<Transport>()
  return (sound) => new ClosesOthers(sound, all)
}

/** Throws away what was accepted when it drains, and calls that clean. */
export class ForgetsTheOutbox extends Wrapped {
  override async drain(): Promise<DrainReport> {
    await this.inner.close()
    return { unsent: [], unhandled: 0 }
  }
}

/** Does not say that its state has changed. */
export class TellsNoStatus extends Wrapped {
  override on<K extends keyof TransportEvents>(
    name: K,
    listener: (notice: TransportEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    return super.on(name, name === 'status' ? (): void => {} : listener, options)
  }
}

/** Promises other things each time it is asked. */
export class ChangesItsMind extends Wrapped {
  #asked = 0

  override get capabilities(): Capabilities {
    return { ...super.capabilities, maxPayload: 1_000_000 + this.#asked++ }
  }
}

/** Promises to carry bytes, and carries something else. */
export class PromisesBytes extends Wrapped {
  readonly #promises: Capabilities = Object.freeze({ ...this.inner.capabilities, binary: true })

  override get capabilities(): Capabilities {
    return this.#promises
  }
}
