/** Probes: pings whose callers wait for the pong. */
import {
  AbortedError,
  TimeoutError,
  type BusError,
  type Clock,
  type Timer,
  type WaitOptions,
} from '@bus/core'

export interface ProbeOptions extends WaitOptions {
  /** Milliseconds that the pong may take. */
  readonly timeoutMs: number
}

interface Probe {
  readonly sentAt: number
  end(result: number | BusError): void
}

/** The probes under way, by payload. */
export class Probes {
  readonly #clock: Clock
  readonly #byPayload = new Map<string, Probe>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Sends a ping and waits.
   *
   * @returns the round trip in milliseconds; rejects with `TimeoutError` or `AbortedError`
   */
  send(payload: string, ping: (payload: string) => void, options: ProbeOptions): Promise<number> {
    const { signal, timeoutMs } = options
    if (signal?.aborted === true) return Promise.reject(aborted(signal))
    return new Promise((resolve, reject) => {
      const abort = (): void => end(aborted(signal))
      const end = (result: number | BusError): void => {
        this.#byPayload.delete(payload)
        this.#clock.clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        if (typeof result === 'number') resolve(result)
        else reject(result)
      }
      const expire = (): void => end(new TimeoutError(`No pong came within ${timeoutMs} ms`))
      const timer: Timer = this.#clock.setTimeout(expire, timeoutMs)
      signal?.addEventListener('abort', abort, { once: true })
      this.#byPayload.set(payload, { sentAt: this.#clock.now(), end })
      ping(payload)
    })
  }

  /** The round trip of the probe with this payload, which is thereby answered; `undefined` when there is none. */
  answer(payload: string): number | undefined {
    const probe = this.#byPayload.get(payload)
    if (probe === undefined) return undefined
    const rttMs = this.#clock.now() - probe.sentAt
    probe.end(rttMs)
    return rttMs
  }

  /** Rejects whoever waits. */
  failAll(error: BusError): void {
    for (const probe of this.#byPayload.values()) probe.end(error)
  }
}

function aborted(signal: AbortSignal | undefined): AbortedError {
  return new AbortedError('The probe', { cause: signal?.reason })
}
