/** One emit under way in a memory transport: nobody waits for it, so what goes wrong is told as undeliverable. */
import { QueueFullError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import type { UndeliverableReason } from '../contract/transport.ts'
import { refusalError } from '../queue/refusal.ts'
import type { MemoryOutbox, Parcel } from './memory-outbox.ts'

/** Tells that an event was given up. */
export type GiveUp = (reason: UndeliverableReason, event: Event, error: Error) => void

/** A parcel without a publisher. */
export class MemoryEmission implements Parcel {
  readonly id: string
  readonly type: string
  readonly frame: string | Uint8Array
  readonly #event: Event
  readonly #giveUp: GiveUp

  constructor(event: Event, frame: string | Uint8Array, giveUp: GiveUp) {
    this.id = event.id
    this.type = event.type
    this.frame = frame
    this.#event = event
    this.#giveUp = giveUp
  }

  /** Puts it into the outbox, or gives it up; `false` when there was no room for it. */
  offerTo(outbox: MemoryOutbox): boolean {
    const result = outbox.offer(this)
    if (result === 'full') this.dropped()
    else if (result !== 'accepted' && result !== 'dropped') {
      const { maxBytes } = outbox.stats()
      const error = refusalError(result, Buffer.byteLength(this.frame), maxBytes)
      this.#giveUp('dropped', this.#event, error)
    }
    return result !== 'full' && result !== 'rejected'
  }

  sent(): void {}

  dropped(): void {
    const error = new QueueFullError('The outbound queue is full', { outcome: 'not-sent' })
    this.#giveUp('dropped', this.#event, error)
  }

  abandoned(error: Error): void {
    this.#giveUp('closed', this.#event, error)
  }
}
