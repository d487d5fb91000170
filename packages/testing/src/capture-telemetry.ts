/** Capturing telemetry: what the bus publishes on `node:diagnostics_channel`, kept for a test. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TelemetryNotices, TelemetryOperations } from '@bus/core'
import { check, checkOptions, isTelemetryPrefix, systemClock, telemetryOf } from '@bus/core/kit'
import { DEFAULT_WAIT_MS, Waits, type WaitForOptions } from './waits.ts'

/** What is captured. */
export interface CaptureTelemetryOptions {
  /** The prefix of the channels. @default 'bus' */
  readonly prefix?: string | undefined
  /** How many entries are kept, an integer ≥ 1; the oldest go first. @default 10_000 */
  readonly limit?: number | undefined
}

/** What is carried under the name of a notice, or by the phases of an operation. */
export type TelemetryPayloads = TelemetryNotices & TelemetryOperations

/** One message of a channel. */
export interface CapturedTelemetry<K extends keyof TelemetryPayloads = keyof TelemetryPayloads> {
  /** Under the default prefix: `bus.connection.open`. */
  readonly name: K
  /** Of an operation: its start, the end of the promise, or its failure. Of a notice: `notice`. */
  readonly phase: 'notice' | 'start' | 'asyncEnd' | 'error'
  readonly payload: TelemetryPayloads[K]
}

const PHASES = ['start', 'asyncEnd', 'error'] as const

/**
 * Captures everything that is published under the prefix from now on, by every bus and transport of this process, until
 * it is stopped.
 *
 * @example
 * ```ts
 * import { captureTelemetry } from '@bus/testing'
 *
 * using captured = captureTelemetry()
 * // ... what is tested
 * const open = await captured.waitFor('bus.connection.open')
 * console.log(open.payload.durationMs, captured.of('bus.status').length)
 * ```
 *
 * @throws `ConfigError`
 */
export function captureTelemetry(options: CaptureTelemetryOptions = {}): TelemetryCapture {
  checkOptions<CaptureTelemetryOptions>('', options, {
    prefix: isTelemetryPrefix,
    limit: check.integer({ min: 1 }),
  })
  const { prefix = 'bus', limit = 10_000 } = options
  return new TelemetryCapture(prefix, limit)
}

/** A running capture. */
export class TelemetryCapture implements Disposable {
  readonly #limit: number
  readonly #waits = new Waits(systemClock)
  readonly #stops: (() => void)[] = []
  #entries: CapturedTelemetry[] = []

  /** Use `captureTelemetry`. */
  constructor(prefix: string, limit: number) {
    this.#limit = limit
    for (const own of telemetryOf({ prefix }).names) {
      const name = `bus${own.slice(prefix.length)}` as keyof TelemetryPayloads
      this.#listen(own, name, 'notice')
      for (const phase of PHASES) this.#listen(`tracing:${own}:${phase}`, name, phase)
    }
  }

  /** Everything that is kept, in order. */
  get entries(): readonly CapturedTelemetry[] {
    return this.#entries
  }

  /** The payloads of one name, in order; of an operation those of its start. */
  of<K extends keyof TelemetryPayloads>(
    name: K,
    phase?: CapturedTelemetry['phase'],
  ): readonly TelemetryPayloads[K][] {
    return this.#named(name, phase).map(({ payload }) => payload)
  }

  /** Resolves with the first entry of this name that passes the test, also one that is there already. */
  waitFor<K extends keyof TelemetryPayloads>(
    name: K,
    options: WaitForOptions & { readonly where?: (payload: TelemetryPayloads[K]) => boolean } = {},
  ): Promise<CapturedTelemetry<K>> {
    const { where = () => true, timeoutMs = DEFAULT_WAIT_MS, signal } = options
    const look = (): CapturedTelemetry<K> | undefined =>
      this.#named(name, undefined).find(({ payload }) => where(payload))
    const details = (): string =>
      `captured: ${[...new Set(this.#entries.map((e) => e.name))].join(', ')}`
    return this.#waits.until(look, { what: name, timeoutMs, signal, details })
  }

  /** Forgets what was captured so far. */
  clear(): void {
    this.#entries = []
  }

  /** Captures nothing more. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  #named<K extends keyof TelemetryPayloads>(
    name: K,
    phase: CapturedTelemetry['phase'] | undefined,
  ): CapturedTelemetry<K>[] {
    const hasName = (entry: CapturedTelemetry): entry is CapturedTelemetry<K> =>
      entry.name === name &&
      (phase === undefined
        ? entry.phase === 'notice' || entry.phase === 'start'
        : entry.phase === phase)
    return this.#entries.filter(hasName)
  }

  #listen(channel: string, name: keyof TelemetryPayloads, phase: CapturedTelemetry['phase']): void {
    const keep = (message: unknown): void => {
      if (this.#entries.length >= this.#limit) this.#entries.shift()
      this.#entries.push({ name, phase, payload: message as never })
      this.#waits.notify()
    }
    subscribe(channel, keep)
    this.#stops.push(() => unsubscribe(channel, keep))
  }
}
