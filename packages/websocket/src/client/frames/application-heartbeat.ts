/** Runs a heartbeat profile on one link: ticks at its interval, answers the heartbeats of the server. */
import type { Clock, Timer } from '@bus/core'
import type { HeartbeatProfile } from '../../protocol/heartbeat-profile.ts'
import type { Frame } from '../../protocol/protocol.ts'

const DEFAULT_INTERVAL_MS = 30_000

export interface ApplicationHeartbeatPorts {
  send(frame: Frame): void
  /** The profile itself failed; the link stays up. */
  failed(error: unknown): void
}

/** Starts with the link and ends with it. */
export class ApplicationHeartbeat {
  readonly #profile: HeartbeatProfile
  readonly #ports: ApplicationHeartbeatPorts
  readonly #clock: Clock
  #timer: Timer | undefined

  constructor(profile: HeartbeatProfile, ports: ApplicationHeartbeatPorts, clock: Clock) {
    this.#profile = profile
    this.#ports = ports
    this.#clock = clock
  }

  start(): void {
    if (this.#profile.onTick !== undefined) this.#arm()
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** `true` when the frame was a heartbeat, which goes no further. */
  take(frame: Frame): boolean {
    const heartbeat = this.#call(() => this.#profile.onFrame?.(frame))
    if (heartbeat === undefined) return false
    if (heartbeat.reply !== undefined) this.#ports.send(heartbeat.reply)
    return true
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#arm()
      const frame = this.#call(() => this.#profile.onTick?.())
      if (frame !== undefined) this.#ports.send(frame)
    }, this.#profile.intervalMs ?? DEFAULT_INTERVAL_MS)
  }

  #call<T>(run: () => T): T | undefined {
    try {
      return run()
    } catch (error) {
      this.#ports.failed(error)
      return undefined
    }
  }
}
