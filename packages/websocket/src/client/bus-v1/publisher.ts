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
import type { OutboxEntry } from '../outbox/outbox.ts'

/** What the publisher needs of the outbox: entries under way stay in it until they leave, in order. */
export interface PublisherOutbox {
  peek(): OutboxEntry | undefined
  next(): OutboxEntry | undefined
  /** The oldest entry under way leaves. */
  leave(): void
  /** Counts that an entry is written again. */
  again(entry: OutboxEntry): void
  giveUp(entry: OutboxEntry, error: BusError, reason: Undeliverable['reason']): void
  /** `false`: the entry must not be written again yet; the writer is woken when it may. */
  mayWrite(entry: OutboxEntry): boolean
}

/** Close codes with which the hub may mean one event rather than the link. */
const POISON_CODES = new Set([1002, 1007, 1009, 4400])
/** Links that the same event may cost before it is given up. */
const MAX_DEATHS = 3

/** Pure: it makes lines and reads acknowledgements; sockets and time are elsewhere. */
export class Publisher {
  readonly #outbox: PublisherOutbox
  /** Under way, in the order of the outbox. */
  readonly #inFlight = new Denque<OutboxEntry>()
  /** At-most-once entries of each message that the operating system has not taken over. */
  readonly #messages = new Denque<OutboxEntry[] | undefined>()
  /** The next of those under way that must be written again. */
  #resendAt = 0
  #lastNumber = 0
  #acked = 0
  #window: Window = wireDefaults.window
  #maxLineBytes = wireDefaults.maxLineBytes
  #events = 0
  #bytes = 0
  #suspect: OutboxEntry | undefined
  #deaths = 0

  readonly #clock: Clock
  #lastProgressAt = 0

  constructor(outbox: PublisherOutbox, clock: Clock) {
    this.#outbox = outbox
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

  /** The lines of one message behind `start`: as many as fit into `maxBytes`, the hub's limit and the window. */
  fill(start: string, maxBytes: number): Buffer | undefined {
    const message = new MessageText(start)
    let unnumbered: OutboxEntry[] | undefined
    for (;;) {
      const room = message.isEmpty ? Infinity : this.#roomFor(maxBytes) - message.bytes
      const entry = this.#nextEntry(room)
      if (entry === undefined) break
      if (entry.isConfirmed) message.add(entry.isResent ? 'rep' : 'pub', entry.number, entry)
      else {
        message.add('pub', '-', entry)
        ;(unnumbered ??= []).push(entry)
      }
    }
    if (message.isEmpty) return undefined
    this.#messages.push(unnumbered)
    return message.toBytes()
  }

  /** The operating system took over the oldest message: what needs no acknowledgement is done. */
  taken(): void {
    const unnumbered = this.#messages.shift()
    if (unnumbered === undefined) return
    for (const entry of unnumbered) {
      entry.isDone = true
      entry.sent()
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

  #roomFor(maxBytes: number): number {
    return Math.min(maxBytes, this.#maxLineBytes)
  }

  /** The next line's entry; `undefined` when there is none, no room in the message, or none in the window. */
  #nextEntry(room: number): OutboxEntry | undefined {
    while (this.#resendAt < this.#inFlight.length) {
      const entry = this.#inFlight.peekAt(this.#resendAt)
      if (entry !== undefined && !entry.isDone) {
        if (lineBytes(entry) > room || !this.#outbox.mayWrite(entry)) return undefined
        this.#resendAt++
        this.#outbox.again(entry)
        return entry
      }
      this.#resendAt++
    }
    for (;;) {
      const entry = this.#outbox.peek()
      if (entry === undefined || lineBytes(entry) > room) return undefined
      if (entry.isConfirmed && !this.#hasRoom(entry)) return undefined
      this.#outbox.next()
      this.#inFlight.push(entry)
      this.#resendAt = this.#inFlight.length
      const bytes = lineBytes(entry)
      if (bytes <= this.#maxLineBytes) {
        if (entry.isConfirmed) this.#number(entry)
        return entry
      }
      // The hub would end the link because of it, and lose what is around it.
      entry.isConfirmed = false
      this.#refuse(entry, new TooLargeError('The event', bytes, this.#maxLineBytes))
      this.#sweep()
    }
  }

  #number(entry: OutboxEntry): void {
    entry.number = ++this.#lastNumber
    if (this.#events === 0) this.#lastProgressAt = this.#clock.now()
    this.#events++
    this.#bytes += entry.bytes
  }

  #hasRoom(entry: OutboxEntry): boolean {
    if (this.#events === 0) return true
    return this.#events < this.#window.events && this.#bytes + entry.bytes <= this.#window.bytes
  }

  /** Entries leave in the order of the outbox, each when it is done or acknowledged. */
  #sweep(): void {
    let first = this.#inFlight.peekFront()
    while (first !== undefined) {
      if (!first.isDone) {
        if (!first.isConfirmed || first.number > this.#acked) return
        first.isDone = true
        first.confirmed()
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

  #refuse(entry: OutboxEntry, error: BusError): void {
    if (entry.isDone) return
    entry.isDone = true
    this.#outbox.giveUp(entry, error, 'rejected')
  }
}

/** Bytes of a line besides type, id and body: verb, number, spaces and the line feed. */
const LINE_BYTES = 24

/** From this length on, to copy a text costs more than to write it by itself. */
const LARGE = 1_024

/** Bytes that the event takes in a message, or a few less. */
export function lineBytes({ bytes, event }: OutboxEntry): number {
  return bytes + event.type.length + event.id.length + LINE_BYTES
}

/** Grows line by line. */
export class MessageText {
  readonly #pieces: string[]
  #characters: number
  /** Of all characters outside the bodies there is one byte each. */
  #bytes: number

  /** @param start - the first line; may be empty */
  constructor(start: string) {
    this.#pieces = start === '' ? [] : [start]
    this.#characters = this.#bytes = start.length
  }

  get isEmpty(): boolean {
    return this.#bytes === 0
  }

  /** UTF-8. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds the line of an event, whose frame is its body. */
  add(verb: 'pub' | 'rep', number: number | '-', { event, frame, bytes }: OutboxEntry): void {
    const body = String(frame)
    const header = `${this.#bytes === 0 ? '' : '\n'}${verb} ${number} ${event.type} ${event.id} `
    this.#pieces.push(header, body)
    this.#characters += header.length + body.length
    this.#bytes += header.length + bytes
  }

  toBytes(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#bytes)
    // Text without anything beyond ASCII is the same in Latin-1, which is a copy where UTF-8 is a conversion.
    const encoding = this.#characters === this.#bytes ? 'latin1' : 'utf8'
    let small: string[] = []
    let at = 0
    for (const piece of this.#pieces) {
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
}
