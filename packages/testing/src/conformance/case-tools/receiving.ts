/** Sinks and handlers whose progress a case decides. */
import type { Event, Sink } from '@bus/core'

/** Keeps every event, and never applies backpressure. */
export class KeepingSink implements Sink {
  readonly events: Event[] = []
  readonly tokens: number[] = []

  deliver(event: Event, token: number): boolean {
    this.events.push(event)
    this.tokens.push(token)
    return true
  }

  get payloads(): unknown[] {
    return this.events.map(({ payload }) => payload)
  }
}

/** Opens once, for all who wait. */
export class Latch {
  readonly opened: Promise<void>
  #open: () => void = () => {}

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
  }
}
