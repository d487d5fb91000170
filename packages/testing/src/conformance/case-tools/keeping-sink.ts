/** A sink of a case: where a transport delivers without a bus in between. */
import type { Event, Sink } from '@bus/core'

/** Keeps what it gets, and never asks to wait. */
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
