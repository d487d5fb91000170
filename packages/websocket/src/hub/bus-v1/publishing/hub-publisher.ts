/** The hub's own publisher: events of the application that runs the hub, with the rules and confirmations of any other. */

import { ClosedError, QueueFullError, RejectedError, createEvent } from '@bus/core'
import type { BusError, EventInit, PublishReceipt } from '@bus/core'
import Denque from 'denque'
import { encodeBody } from '../../../protocol/bus-v1/fields.ts'
import type { RefusalCode } from '../../../protocol/bus-v1/limits.ts'
import type { Permission } from '../admission/authenticator.ts'
import type { FlushScheduler } from '../flush-scheduler.ts'
import type { Session, SessionConnection } from '../sessions/session.ts'
import type { Publishing, PublishingConnection } from './publishing.ts'

/** An event that is not settled yet. */
interface Unsettled {
  readonly n: number
  readonly id: string
  resolve(receipt: PublishReceipt): void
  reject(error: BusError): void
}

export interface HubPublisherOptions {
  /** Its own: it is in no list, and never ends. */
  readonly session: Session
  readonly permission: Permission
  readonly publishing: Publishing
  readonly flush: FlushScheduler
  readonly now: () => number
}

/** A connection without a socket. */
export class HubPublisher implements PublishingConnection, SessionConnection {
  readonly session: Session
  readonly permission: Permission
  readonly rate: undefined
  readonly address: undefined
  readonly #options: HubPublisherOptions
  readonly #unsettled = new Denque<Unsettled>()
  #lastNumber = 0
  #isClosed = false

  constructor(options: HubPublisherOptions) {
    this.#options = options
    this.session = options.session
    this.permission = options.permission
    this.session.link = this
  }

  /** @throws what `createEvent` throws, and `SerializationError` */
  async publish(
    type: string,
    payload: unknown,
    init: EventInit | undefined,
  ): Promise<PublishReceipt> {
    const event = createEvent(type, payload, init)
    const header = `${type} ${event.id}`
    const bytes = Buffer.from(`${header} ${encodeBody(event)}`)
    const { publishing, now } = this.#options
    if (this.#isClosed || publishing.isClosed) {
      throw new ClosedError('The hub takes no event any more', { outcome: 'not-sent' })
    }
    const n = this.#lastNumber + 1
    const line = { n, typeFrom: 0, typeTo: type.length, idTo: header.length }
    return await new Promise((resolve, reject) => {
      this.#unsettled.push({ n, id: event.id, resolve, reject })
      if (publishing.publish(this, bytes, 0, bytes.length, line, false, now()) === undefined) {
        this.#lastNumber = n
        return
      }
      this.#unsettled.pop()
      const message = 'Too many events of the hub itself wait to be confirmed'
      reject(new QueueFullError(message, { outcome: 'not-sent' }))
    })
  }

  wake(): void {
    this.#options.flush.mark(this)
  }

  /** Settles what is confirmed by now. */
  flush(): void {
    const { confirmed } = this.session.publisher
    for (
      let first = this.#unsettled.peekFront();
      first !== undefined && first.n <= confirmed;
      first = this.#unsettled.peekFront()
    ) {
      this.#unsettled.shift()
      first.resolve(Object.freeze({ id: first.id, status: 'confirmed', attempts: 1 }))
    }
  }

  refused(n: number, code: RefusalCode): void {
    const index = this.#unsettled.toArray().findIndex((one) => one.n === n)
    const refused = index === -1 ? undefined : this.#unsettled.removeOne(index)
    refused?.reject(new RejectedError(`The hub refused the event ${refused.id}: ${code}`))
    this.wake()
  }

  /** Too much waits for room, of which it has the most: what is not in the log is given up. */
  goAway(): void {
    const { accepted } = this.session.publisher
    this.#lastNumber = accepted
    const message = 'More events wait for room in the log than `limits.heldBytes` allows'
    this.#rejectAbove(accepted, new QueueFullError(message, { outcome: 'not-sent' }))
  }

  /** The hub has closed. */
  close(): void {
    this.#isClosed = true
    this.flush()
    this.#rejectAbove(0, new ClosedError('The hub was closed', { outcome: 'unknown' }))
  }

  // None of these happens to it: nothing is sent twice, and nobody else has its session.
  again(): void {}
  replaced(): void {}
  ended(): void {}

  #rejectAbove(n: number, error: BusError): void {
    for (
      let last = this.#unsettled.peekBack();
      last !== undefined && last.n > n;
      last = this.#unsettled.peekBack()
    ) {
      this.#unsettled.pop()
      last.reject(error)
    }
  }
}
