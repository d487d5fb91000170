/** The cursor of a subscriber: up to which offset everything received is settled, and what of that is acknowledged. */

import type { Event, EventMetadata } from '@bus/core'
import Denque from 'denque'

/** An event that was received and is not settled, or lies behind one that is not. */
interface UnsettledEvent {
  readonly token: number
  readonly offset: number
  /** Sinks that have not settled it yet. */
  left: number
}

/**
 * Offsets rise, but not by one: events that match no subscription of ours are missing. So the cursor follows the order of
 * receipt. A handler that settles at once costs no entry. Tokens are never used twice, so that a handler that settles an
 * event of a log that was replaced since changes nothing in the new one.
 */
export class Cursor {
  readonly #waiting = new Denque<UnsettledEvent>()
  readonly #byToken = new Map<number, UnsettledEvent>()
  #position = 0
  #seen = 0
  #token = 0
  #isDelivering = false
  #settledMeanwhile = 0
  /** Events settled since the last acknowledgement. */
  #settled = 0
  #acknowledged = 0

  /** Everything up to this offset is settled. */
  get position(): number {
    return this.#position
  }

  /** The last offset received, or passed by a mark. */
  get seen(): number {
    return this.#seen
  }

  /** Events received and not settled. */
  get outstanding(): number {
    return this.#waiting.length
  }

  /** A new link begins, whose hub has heard of acknowledgements up to this offset. */
  resume(acknowledged: number): void {
    this.#acknowledged = acknowledged
  }

  /**
   * Starts over at this offset: another log, or the first. An event of the log before that a handler still has holds the
   * position back: its publisher sends it again to the new log, and must not hear that it was settled before it is.
   */
  reset(offset: number): void {
    const unsettled = this.#waiting.toArray().filter(({ left }) => left > 0)
    this.#waiting.clear()
    this.#byToken.clear()
    for (const { token, left } of unsettled) this.#wait({ token, offset, left })
    this.#position = offset
    this.#seen = offset
    this.#settled = 0
    this.#acknowledged = offset
  }

  /** An event comes. @returns the token that its sinks settle; 0 when the event was received before */
  begin(offset: number): number {
    if (offset <= this.#seen) return 0
    this.#isDelivering = true
    this.#settledMeanwhile = 0
    return ++this.#token
  }

  /** The event was delivered to so many sinks that settle. */
  end(offset: number, sinks: number): void {
    this.#isDelivering = false
    this.#seen = offset
    const left = sinks - this.#settledMeanwhile
    if (left <= 0 && this.#waiting.length === 0) {
      this.#position = offset
      this.#settled++
      return
    }
    this.#wait({ token: this.#token, offset, left })
  }

  /** A sink has settled its event. @returns whether the position moved */
  settle(token: number): boolean {
    if (this.#isDelivering && token === this.#token) {
      this.#settledMeanwhile++
      return false
    }
    const event = this.#byToken.get(token)
    if (event === undefined) return false
    event.left--
    if (event.left > 0) return false
    this.#byToken.delete(token)
    return this.#advance()
  }

  /** Every event up to this offset that matches a subscription has been received. */
  mark(offset: number): void {
    if (offset <= this.#seen) return
    this.#seen = offset
    if (this.#waiting.length === 0) this.#position = offset
  }

  /**
   * How many events were settled since the last acknowledgement; `undefined` when there is nothing to acknowledge.
   *
   * @param lastSentOffset - the hub takes no acknowledgement beyond. A handler may have ended before the hub has sent its
   * event again on this link.
   */
  due(lastSentOffset: number): number | undefined {
    return Math.min(this.#position, lastSentOffset) <= this.#acknowledged
      ? undefined
      : this.#settled
  }

  /** The offset to acknowledge now; `undefined` when there is nothing to acknowledge. */
  take(lastSentOffset: number): number | undefined {
    this.#settled = 0
    const offset = Math.min(this.#position, lastSentOffset)
    if (offset <= this.#acknowledged) return undefined
    this.#acknowledged = offset
    return offset
  }

  #wait(event: UnsettledEvent): void {
    this.#waiting.push(event)
    if (event.left > 0) this.#byToken.set(event.token, event)
  }

  #advance(): boolean {
    const before = this.#position
    let first = this.#waiting.peekFront()
    while (first !== undefined && first.left <= 0) {
      this.#waiting.shift()
      this.#position = first.offset
      this.#settled++
      first = this.#waiting.peekFront()
    }
    if (first === undefined) this.#position = this.#seen
    return this.#position !== before
  }
}

/** Ids up to this length are kept in a slot of the ring: a UUID has 36 characters. */
const SLOT_BYTES = 40
/** Memory is allocated when it is needed, in chunks of so many slots. */
const CHUNK_SLOTS = 4_096

/** What tells whether two events are the same one. */
type EventIdentity = Pick<Event, 'id' | 'type'> & {
  readonly metadata: Pick<EventMetadata, 'source' | 'timestamp'>
}

/**
 * Remembers the last events by id, source, type and timestamp. Events are hardly ever looked up, so remembering must cost next to
 * nothing: ids are copied into a ring of bytes, and an index over them is made when the first resent event comes. They are
 * copied also because a string cut from a message would keep the whole message in memory.
 *
 * Only resent events are looked up, and an id that is used twice on purpose goes with another timestamp.
 */
export class ResentFilter {
  readonly #capacity: number
  readonly #chunks: Buffer[] = []
  readonly #lengths: Uint8Array
  readonly #sources: (string | undefined)[] = []
  readonly #types: string[] = []
  readonly #timestamps: number[] = []
  /** Ids that are too long for their slot. */
  readonly #long = new Map<number, string>()
  #next = 0
  #size = 0
  /** How often each is remembered. */
  #index: Map<string, number> | undefined
  /** Events that may still be added before the index is dropped again. */
  #indexLife = 0

  constructor(capacity = 65_536) {
    this.#capacity = capacity
    this.#lengths = new Uint8Array(capacity)
  }

  /** Notes an event. */
  add({ id, type, metadata }: EventIdentity): void {
    const { source, timestamp } = metadata
    const slot = this.#next
    this.#next = slot + 1 === this.#capacity ? 0 : slot + 1
    if (this.#size < this.#capacity) this.#size++
    else if (this.#index !== undefined) forget(this.#index, this.#keyAt(slot))
    const before = slot === 0 ? this.#capacity - 1 : slot - 1
    // The same text again is the same object again: one copy serves a whole stream.
    const [lastSource, lastType] = [this.#sources[before], this.#types[before]]
    this.#sources[slot] = source === lastSource ? lastSource : source
    this.#types[slot] = type === lastType ? lastType : type
    this.#timestamps[slot] = timestamp
    if (this.#lengths[slot] === 0) this.#long.delete(slot)
    if (id.length > SLOT_BYTES) {
      this.#lengths[slot] = 0
      this.#long.set(slot, Buffer.from(id, 'latin1').toString('latin1'))
    } else {
      this.#lengths[slot] = id.length
      const chunk = (this.#chunks[Math.floor(slot / CHUNK_SLOTS)] ??= Buffer.allocUnsafe(
        CHUNK_SLOTS * SLOT_BYTES,
      ))
      chunk.write(id, (slot % CHUNK_SLOTS) * SLOT_BYTES, 'latin1')
    }
    if (this.#index !== undefined) this.#noteIndexed(slot)
  }

  /** Whether the event was noted. */
  has({ id, type, metadata }: EventIdentity): boolean {
    this.#index ??= this.#makeIndex()
    this.#indexLife = this.#capacity
    return this.#index.has(keyOf(id, type, metadata.timestamp, metadata.source))
  }

  #keyAt(slot: number): string {
    const start = (slot % CHUNK_SLOTS) * SLOT_BYTES
    const length = this.#lengths[slot] ?? 0
    const id =
      length === 0
        ? this.#long.get(slot)
        : this.#chunks[Math.floor(slot / CHUNK_SLOTS)]?.toString('latin1', start, start + length)
    const [type = '', timestamp = 0] = [this.#types[slot], this.#timestamps[slot]]
    return keyOf(id ?? '', type, timestamp, this.#sources[slot])
  }

  #makeIndex(): Map<string, number> {
    const index = new Map<string, number>()
    for (let slot = 0; slot < this.#size; slot++) remember(index, this.#keyAt(slot))
    return index
  }

  #noteIndexed(slot: number): void {
    if (this.#index !== undefined) remember(this.#index, this.#keyAt(slot))
    this.#indexLife--
    if (this.#indexLife <= 0) this.#index = undefined
  }
}

/** Neither an id nor a type has a space. */
function keyOf(id: string, type: string, timestamp: number, source: string | undefined): string {
  return `${id} ${type} ${timestamp}${source === undefined ? '' : ` ${source}`}`
}

function remember(index: Map<string, number>, key: string): void {
  index.set(key, (index.get(key) ?? 0) + 1)
}

function forget(index: Map<string, number>, key: string): void {
  const others = (index.get(key) ?? 0) - 1
  if (others > 0) index.set(key, others)
  else index.delete(key)
}
