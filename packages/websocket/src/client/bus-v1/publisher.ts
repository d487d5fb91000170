/** The publishing half of a `bus.v1` session: numbers, window, acknowledgements, resending. */

import Denque from 'denque'
import {
  RejectedError,
  TooLargeError,
  type BusError,
  type Clock,
  type Undeliverable,
} from '@bus/core'
import { wireDefaults, type Window } from '../../protocol/bus-v1/limits.ts'
import type { Welcome } from '../../protocol/bus-v1/welcome.ts'
import type { ClientOutboxEntry } from '../outbox/outbox.ts'
import type { WriterSource } from '../../protocol/protocol.ts'

/** What the publisher needs of the outbox: entries under way stay in it until they leave, in order. */
export interface PublisherOutbox {
  next(room: number, credit: number): ClientOutboxEntry | undefined
  /** The oldest entry under way leaves. */
  leave(): void
  /** Counts that an entry is written again. */
  again(entry: ClientOutboxEntry): void
  giveUp(entry: ClientOutboxEntry, error: BusError, reason: Undeliverable['reason']): void
  /** `false`: the entry must not be written again yet; the writer is woken when it may. */
  mayWrite(entry: ClientOutboxEntry): boolean
}

/** What goes first in a message. */
export interface PublisherAcks {
  /** The acknowledgement that is due; `undefined` when none is. */
  takeAck(): string | undefined
}

/** A message stays below this many bytes, so that it neither delays a ping nor exceeds a limit. */
const MAX_MESSAGE_BYTES = 65_536

/** Close codes with which the hub may mean one event rather than the link. */
const POISON_CODES = new Set([1002, 1007, 1009, 4400])
/** Links that the same event may cost before it is given up. */
const MAX_DEATHS = 3

/** Makes the messages of a session: the acknowledgement that is due, and lines of events. */
export class BusV1Publisher implements WriterSource {
  /** Messages are bytes of text. */
  readonly isText = true
  readonly #outbox: PublisherOutbox
  /** Under way, in the order of the outbox. */
  readonly #inFlight = new Denque<ClientOutboxEntry>()
  /** At-most-once entries of each message that the operating system has not taken over. */
  readonly #messages = new Denque<ClientOutboxEntry[] | undefined>()
  /** The next of those under way that must be written again. */
  #resendAt = 0
  #lastNumber = 0
  #acked = 0
  #window: Window = wireDefaults.window
  #maxLineBytes = wireDefaults.maxLineBytes
  #events = 0
  #bytes = 0
  #suspect: ClientOutboxEntry | undefined
  #deaths = 0

  readonly #acks: PublisherAcks
  readonly #clock: Clock
  #lastProgressAt = 0

  constructor(outbox: PublisherOutbox, acks: PublisherAcks, clock: Clock) {
    this.#outbox = outbox
    this.#acks = acks
    this.#clock = clock
  }

  /** Events that were sent and wait for their confirmation. */
  get waiting(): number {
    return this.#events
  }

  /** When the hub last confirmed or refused something, or the first of the events that wait was sent. */
  get lastProgressAt(): number {
    return this.#lastProgressAt
  }

  /**
   * One message: the acknowledgement that is due, and as many lines of events as fit into the limit of a message, the hub's
   * limit and the window. A single line may be larger than a message.
   */
  next(maxMessageBytes: number = MAX_MESSAGE_BYTES): Buffer | undefined {
    const ack = this.#acks.takeAck()
    const pieces: string[] = ack === undefined ? [] : [ack]
    // Outside the bodies every character is one byte.
    let bytes = ack?.length ?? 0
    let characters = bytes
    let unnumbered: ClientOutboxEntry[] | undefined
    const maxBytes = Math.min(maxMessageBytes, this.#maxLineBytes)
    for (;;) {
      const room = bytes === 0 ? Infinity : maxBytes - bytes
      const entry =
        this.#resendAt < this.#inFlight.length ? this.#nextResent(room) : this.#nextNew(room)
      if (entry === undefined) break
      const { event, frame, isConfirmed } = entry
      const verb = isConfirmed && entry.isResent ? 'rep' : 'pub'
      const number = isConfirmed ? entry.number : '-'
      const header = `${bytes === 0 ? '' : '\n'}${verb} ${number} ${event.type} ${event.id} `
      const body = String(frame)
      pieces.push(header, body)
      characters += header.length + body.length
      bytes += header.length + entry.bytes
      if (!isConfirmed) (unnumbered ??= []).push(entry)
    }
    if (bytes === 0) return undefined
    this.#messages.push(unnumbered)
    return toBytes(pieces, bytes, characters)
  }

  /** The operating system took over the oldest message: what needs no acknowledgement is done. */
  taken(): void {
    const unnumbered = this.#messages.shift()
    if (unnumbered === undefined) return
    for (const entry of unnumbered) {
      entry.isDone = true
      entry.settle('sent')
    }
    this.#sweep()
  }

  /** `false`: an acknowledgement of what was never sent. */
  ok(n: number): boolean {
    this.#lastProgressAt = this.#clock.now()
    if (n > this.#lastNumber) return false
    if (n <= this.#acked) return true
    this.#acked = n
    this.#sweep()
    return true
  }

  /** Event `n` was refused. */
  no(n: number, code: string): void {
    this.#lastProgressAt = this.#clock.now()
    for (let i = 0; i < this.#inFlight.length; i++) {
      const entry = this.#inFlight.peekAt(i)
      if (entry?.isConfirmed !== true || entry.isDone || entry.number !== n) continue
      this.#refuse(entry, new RejectedError(`The hub refused the event ${entry.event.id}: ${code}`))
      break
    }
    // Everything before it is confirmed, so its `ok` would say nothing new, and may come late.
    if (n === this.#acked + 1 && n <= this.#lastNumber) this.#acked = n
    this.#sweep()
  }

  /** A new link: settles what the hub had accepted, and writes the rest again. */
  welcome({ resumed, last, refused, limits }: Welcome): void {
    this.#window = limits.window
    this.#maxLineBytes = limits.maxLineBytes
    this.#messages.clear()
    if (resumed) {
      for (const [n, code] of refused) this.no(n, code)
      this.ok(Math.min(last, this.#lastNumber))
    } else this.#renumber()
    this.#resendAt = 0
  }

  /**
   * The link is gone.
   *
   * @param code - with which the hub closed it; `undefined` when it did not
   * @returns whether the session must not go on, because one of its events was given up
   */
  down(code: number | undefined): boolean {
    this.#messages.clear()
    const first = this.#inFlight.peekFront()
    if (first === undefined || code === undefined || !POISON_CODES.has(code)) return false
    this.#deaths = first === this.#suspect ? this.#deaths + 1 : 1
    this.#suspect = first
    if (this.#deaths < MAX_DEATHS) return false
    const message = `The event ${first.event.id} cost ${MAX_DEATHS} links (code ${code})`
    this.#refuse(first, new RejectedError(message))
    this.#sweep()
    return true
  }

  /** The next of the entries that must be written again, or a new one behind the last of them. */
  #nextResent(room: number): ClientOutboxEntry | undefined {
    while (this.#resendAt < this.#inFlight.length) {
      const entry = this.#inFlight.peekAt(this.#resendAt)
      if (entry !== undefined && !entry.isDone) {
        if (entry.lineBytes > room || !this.#outbox.mayWrite(entry)) return undefined
        this.#resendAt++
        this.#outbox.again(entry)
        return entry
      }
      this.#resendAt++
    }
    return this.#nextNew(room)
  }

  /** The next entry of the outbox; `undefined` when there is none, no room in the message, or none in the window. */
  #nextNew(room: number): ClientOutboxEntry | undefined {
    for (;;) {
      // One event always passes, also if it is larger than the window.
      const hasCredit = this.#events < this.#window.events
      const credit =
        this.#events === 0 ? Infinity : hasCredit ? this.#window.bytes - this.#bytes : -1
      const entry = this.#outbox.next(room, credit)
      if (entry === undefined) return undefined
      this.#inFlight.push(entry)
      this.#resendAt = this.#inFlight.length
      if (entry.lineBytes <= this.#maxLineBytes) {
        if (!entry.isConfirmed) return entry
        entry.number = ++this.#lastNumber
        if (this.#events === 0) this.#lastProgressAt = this.#clock.now()
        this.#events++
        this.#bytes += entry.bytes
        return entry
      }
      // The hub would end the link because of it, and the events around it would be lost.
      entry.isConfirmed = false
      this.#refuse(entry, new TooLargeError('The event', entry.lineBytes, this.#maxLineBytes))
      this.#sweep()
    }
  }

  /** Entries leave in the order of the outbox, each when it is done or acknowledged. */
  #sweep(): void {
    let first = this.#inFlight.peekFront()
    while (first !== undefined) {
      if (!first.isDone) {
        if (!first.isConfirmed || first.number > this.#acked) return
        first.isDone = true
        first.settle('confirmed')
      }
      if (first.isConfirmed) {
        this.#events--
        this.#bytes -= first.bytes
      }
      this.#inFlight.shift()
      if (this.#resendAt > 0) this.#resendAt--
      this.#outbox.leave()
      first = this.#inFlight.peekFront()
    }
  }

  /** The hub knows nothing of us any more: numbers start over, and what may have arrived is marked as resent. */
  #renumber(): void {
    this.#lastNumber = 0
    this.#acked = 0
    for (let i = 0; i < this.#inFlight.length; i++) {
      const entry = this.#inFlight.peekAt(i)
      if (entry === undefined || entry.isDone || !entry.isConfirmed) continue
      entry.number = ++this.#lastNumber
      entry.isResent = true
    }
  }

  #refuse(entry: ClientOutboxEntry, error: BusError): void {
    if (entry.isDone) return
    entry.isDone = true
    this.#outbox.giveUp(entry, error, 'rejected')
  }
}

/** From this length on, copying a string costs more than writing it by itself. */
const LARGE = 1_024

/** The pieces as UTF-8, which takes so many bytes. */
function toBytes(pieces: readonly string[], byteLength: number, characters: number): Buffer {
  const bytes = Buffer.allocUnsafe(byteLength)
  // Text without anything beyond ASCII is the same in Latin-1, which is a copy where UTF-8 is a conversion.
  const encoding = characters === byteLength ? 'latin1' : 'utf8'
  let small: string[] = []
  let at = 0
  for (const piece of pieces) {
    if (piece.length < LARGE) small.push(piece)
    else {
      at += bytes.write(small.join(''), at, encoding)
      at += bytes.write(piece, at, encoding)
      small = []
    }
  }
  bytes.write(small.join(''), at, encoding)
  return bytes
}
