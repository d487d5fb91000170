/** The events that a bus reports: those of its transport, its own, and its dead letters. */
import type { Event } from '../contract/event.ts'
import type {
  ErrorKind,
  ListenOptions,
  Listenable,
  Transport,
  TransportEvents,
  Undeliverable,
  Unsubscribe,
} from '../contract/transport.ts'
import { errorWithStack } from '../observe/error-data.ts'
import { Emitter } from '../observe/emitter.ts'
import { telemetry, type Telemetry } from '../observe/telemetry.ts'
import type { DeadLetter, DeadLetterQueue } from '../resilience/dead-letters.ts'
import { asError } from '../contract/errors.ts'

/** The events that a bus reports to its listeners. Listeners are guarded: one that throws is an `error` notice of kind `listener`. */
export interface BusEvents extends TransportEvents {
  /** An event or frame was put into the dead letters. */
  'dead-letter': DeadLetter
  /** The queue of a subscription crossed its warning threshold (`high`) or fell below it again (`normal`). */
  'subscription-backpressure': {
    readonly id: string
    readonly level: 'high' | 'normal'
    readonly fillRatio: number
  }
  /**
   * A publish inside a handler, of this bus or another, has waited for `blockedHandlerMs`, and the handler with it. It may
   * wait for that very handler: where the medium lets publishers wait until a subscriber has taken what came before. `emit` does not wait.
   * Reported once for a subscription, until none of its handlers waits.
   */
  'blocked-handler': { readonly id: string; readonly event: Event; readonly waitedMs: number }
  /** A handler failed, and is called again for the same event after `delayMs`. */
  retry: {
    /** Of the subscription. */
    readonly id: string
    readonly event: Event
    /** The attempt that failed, the first is 1. */
    readonly attempt: number
    readonly delayMs: number
    readonly error: Error
  }
}

/** Gets every `error` notice, also when there is no listener. */
export type OnError = (error: Error, kind: ErrorKind) => void

const OWN: ReadonlySet<string> = new Set([
  'blocked-handler',
  'dead-letter',
  'retry',
  'subscription-backpressure',
])

/** Attempts in a row that fail before a connection without a listener for errors is warned of. */
const FAILED_CONNECTS = 3

/** Forwards a notice of the transport only while it has a listener here: listening can cost the transport work. */
export class Notices implements Listenable<BusEvents> {
  readonly #transport: Transport
  readonly #deadLetters: DeadLetterQueue | undefined
  readonly #onError: OnError | undefined
  readonly #telemetry: Telemetry
  readonly #warned = new Set<ErrorKind>()
  #failedConnects = 0
  readonly #forwarded = new Map<keyof BusEvents, Unsubscribe>()
  readonly #emitter: Emitter<BusEvents> = new Emitter<BusEvents>((error, name) => {
    // A listener of `error` that throws would get its own failure, and throw again.
    if (name === 'error') this.#tellOnError('listener', asError(error))
    else this.report('listener', asError(error))
  })

  constructor(
    transport: Transport,
    deadLetters: DeadLetterQueue | undefined,
    onError: OnError | undefined,
    channels: Telemetry = telemetry,
  ) {
    this.#transport = transport
    this.#deadLetters = deadLetters
    this.#onError = onError
    this.#telemetry = channels
    if (deadLetters !== undefined) this.#forward('undeliverable')
    // Also when there is no listener here: subscribers of the channel `bus.error` are not known.
    this.#forward('error')
  }

  on<K extends keyof BusEvents>(
    name: K,
    listener: (notice: BusEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    this.#forward(name)
    return this.#emitter.on(name, listener, options)
  }

  emit<K extends keyof BusEvents>(name: K, notice: BusEvents[K]): void {
    this.#emitter.emit(name, notice)
  }

  /** Something went wrong that no caller is waiting for. */
  report(kind: ErrorKind, error: Error): void {
    const errors = this.#telemetry.channel('bus.error')
    if (errors.hasSubscribers) errors.publish({ source: this.#transport.name, kind, error })
    const isHeard =
      errors.hasSubscribers || this.#onError !== undefined || this.#emitter.has('error')
    if (!isHeard) this.#warn(kind, error)
    this.#tellOnError(kind, error)
    this.#emitter.emit('error', { kind, error })
  }

  /** Reports that an event was given up, and stores it. `false`: the dead letters did not take it. */
  giveUp(undeliverable: Undeliverable): boolean {
    this.announce(undeliverable)
    return this.store(undeliverable)
  }

  /** Reports that an event was given up. */
  announce(undeliverable: Undeliverable): void {
    const drops = this.#telemetry.channel('bus.drop')
    if (drops.hasSubscribers) {
      const { reason, event } = undeliverable
      drops.publish({ source: this.#transport.name, reason, event })
    }
    this.#emitter.emit('undeliverable', undeliverable)
  }

  /** Puts it into the dead letters. `false`: they did not take it, which is reported. */
  store(undeliverable: Undeliverable): boolean {
    if (this.#deadLetters === undefined) return true
    try {
      const letter = this.#deadLetters.add(undeliverable, this.#transport.name)
      if (letter === undefined) {
        this.report('dead-letter', undeliverable.error)
        return false
      }
      this.#emitter.emit('dead-letter', letter)
      return true
    } catch (error) {
      this.report('dead-letter', asError(error))
      return false
    }
  }

  /** Forgets every listener. */
  close(): void {
    for (const stop of this.#forwarded.values()) stop()
    this.#forwarded.clear()
    this.#emitter.clear()
  }

  /** The transport is ready: what failed before is over. */
  connected(): void {
    this.#failedConnects = 0
  }

  /** Shows an error that would be lost otherwise, once for each kind, as Node does with an unhandled rejection. */
  #warn(kind: ErrorKind, error: Error): void {
    // A link that comes back is no news; one that does not come about is.
    if (kind === 'connection' && ++this.#failedConnects < FAILED_CONNECTS) return
    if (this.#warned.has(kind)) return
    this.#warned.add(kind)
    const times = kind === 'connection' ? `, ${FAILED_CONNECTS} times in a row` : ''
    const { name, message, stack = '' } = errorWithStack(error)
    process.emitWarning(
      `${this.#transport.name}: ${name}: ${message} (kind \`${kind}\`${times}). There is no listener for errors of this bus: ` +
        'add bus.on("error", …), or onError to createBus. Further errors of this kind are not shown',
      { type: 'BusWarning', code: 'BUS_UNHANDLED_ERROR', detail: stack },
    )
  }

  #tellOnError(kind: ErrorKind, error: Error): void {
    try {
      this.#onError?.(error, kind)
    } catch (defect) {
      // The last resort failed: only the process is left to report it to.
      queueMicrotask(() => {
        throw defect
      })
    }
  }

  #forward(name: keyof BusEvents): void {
    if (this.#forwarded.has(name) || OWN.has(name)) return
    this.#forwarded.set(name, this.#subscribe(name as keyof TransportEvents))
  }

  #subscribe(name: keyof TransportEvents): Unsubscribe {
    if (name === 'undeliverable') {
      return this.#transport.on(name, (undeliverable) => void this.giveUp(undeliverable))
    }
    if (name === 'error') {
      return this.#transport.on(name, ({ kind, error }) => this.report(kind, error))
    }
    return this.#transport.on(name, (notice) => this.#emitter.emit(name, notice))
  }
}
