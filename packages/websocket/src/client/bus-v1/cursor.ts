/** The cursor: up to where everything that was received is settled. */

import Denque from 'denque'

interface Delivery {
  readonly token: number
  readonly offset: number
  /** Sinks that have not settled it yet. */
  left: number
}

/**
 * Offsets rise, but what is received has holes where events of others lie; so the cursor follows the order of receipt.
 * A handler that settles at once costs no entry. Tokens are unique for life, so that a settlement that comes after the
 * log was replaced by another one means nothing.
 */
export class Cursor {
  readonly #waiting = new Denque<Delivery>()
  readonly #byToken = new Map<number, Delivery>()
  #position = 0
  #seen = 0
  #token = 0
  #isDelivering = false
  #settledMeanwhile = 0
  #settled = 0

  /** Everything up to this offset is settled. */
  get position(): number {
    return this.#position
  }

  /** The last offset received, or passed by a mark. */
  get seen(): number {
    return this.#seen
  }

  /** Events settled since {@link takeSettled}. */
  get settled(): number {
    return this.#settled
  }

  /** Events received and not settled. */
  get outstanding(): number {
    return this.#waiting.length
  }

  /**
   * Starts over at this offset: another log, or the first. What a handler still has of the log before holds the position
   * back: its publisher sends it again to the new log, and must not hear that it was settled before it is.
   */
  reset(offset: number): void {
    const unsettled = this.#waiting.toArray().filter(({ left }) => left > 0)
    this.#waiting.clear()
    this.#byToken.clear()
    for (const { token, left } of unsettled) this.#wait({ token, offset, left })
    this.#position = offset
    this.#seen = offset
    this.#settled = 0
  }

  /** Whether the offset was received before. */
  hasSeen(offset: number): boolean {
    return offset <= this.#seen
  }

  /** An event comes; gives the token that its sinks settle. */
  begin(): number {
    this.#isDelivering = true
    this.#settledMeanwhile = 0
    return ++this.#token
  }

  /** It was given to so many sinks that settle. */
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

  settle(token: number): void {
    if (this.#isDelivering && token === this.#token) {
      this.#settledMeanwhile++
      return
    }
    const delivery = this.#byToken.get(token)
    if (delivery === undefined) return
    delivery.left--
    if (delivery.left > 0) return
    this.#byToken.delete(token)
    this.#advance()
  }

  /** Everything that was wanted up to this offset has been received. */
  mark(offset: number): void {
    if (offset <= this.#seen) return
    this.#seen = offset
    if (this.#waiting.length === 0) this.#position = offset
  }

  /** How many were settled since the last call. */
  takeSettled(): number {
    const settled = this.#settled
    this.#settled = 0
    return settled
  }

  #wait(delivery: Delivery): void {
    this.#waiting.push(delivery)
    if (delivery.left > 0) this.#byToken.set(delivery.token, delivery)
  }

  #advance(): void {
    let first = this.#waiting.peekFront()
    while (first !== undefined && first.left <= 0) {
      this.#waiting.shift()
      this.#position = first.offset
      this.#settled++
      first = this.#waiting.peekFront()
    }
    if (first === undefined) this.#position = this.#seen
  }
}

/** Ids up to this length have a place of their own: a UUID has 36 characters. */
const SLOT_BYTES = 40
/** Memory is taken as it is needed, in pieces of so many slots. */
const CHUNK_SLOTS = 4_096

/**
 * Remembers the last events by source and id. Almost never is one looked up, so remembering must cost next to nothing:
 * ids are copied into a ring of bytes, and an index over them is made when the first resent event comes. Copied also
 * because a text cut from a message would keep the message alive.
 *
 * Only resent events are looked up, so an id that is used twice on purpose passes.
 */
export class ResentFilter {
  readonly #capacity: number
  readonly #chunks: Buffer[] = []
  readonly #lengths: Uint8Array
  readonly #sources: (string | undefined)[] = []
  /** Ids that are too long for their slot. */
  readonly #long = new Map<number, string>()
  #next = 0
  #size = 0
  /** How often each is remembered. */
  #index: Map<string, number> | undefined
  /** Events that may still be noted before the index is thrown away again. */
  #indexLife = 0

  constructor(capacity = 65_536) {
    this.#capacity = capacity
    this.#lengths = new Uint8Array(capacity)
  }

  /** Notes an event. */
  add(source: unknown, id: string): void {
    const slot = this.#next
    this.#next = slot + 1 === this.#capacity ? 0 : slot + 1
    if (this.#size < this.#capacity) this.#size++
    else if (this.#index !== undefined) forget(this.#index, this.#keyAt(slot))
    const last = this.#sources[slot === 0 ? this.#capacity - 1 : slot - 1]
    // The same text again is the same object again: one copy serves a whole stream.
    this.#sources[slot] = source === last ? last : typeof source === 'string' ? source : undefined
    this.#write(slot, id)
    if (this.#index !== undefined) this.#noteIndexed(slot)
  }

  /** Whether the event was noted. */
  has(source: unknown, id: string): boolean {
    this.#index ??= this.#makeIndex()
    this.#indexLife = this.#capacity
    return this.#index.has(keyOf(typeof source === 'string' ? source : undefined, id))
  }

  #write(slot: number, id: string): void {
    if (this.#lengths[slot] === 0) this.#long.delete(slot)
    if (id.length > SLOT_BYTES) {
      this.#lengths[slot] = 0
      this.#long.set(slot, Buffer.from(id, 'latin1').toString('latin1'))
      return
    }
    this.#lengths[slot] = id.length
    const chunk = (this.#chunks[Math.floor(slot / CHUNK_SLOTS)] ??= Buffer.allocUnsafe(
      CHUNK_SLOTS * SLOT_BYTES,
    ))
    chunk.write(id, (slot % CHUNK_SLOTS) * SLOT_BYTES, 'latin1')
  }

  #keyAt(slot: number): string {
    const start = (slot % CHUNK_SLOTS) * SLOT_BYTES
    const length = this.#lengths[slot] ?? 0
    const id =
      length === 0
        ? this.#long.get(slot)
        : this.#chunks[Math.floor(slot / CHUNK_SLOTS)]?.toString('latin1', start, start + length)
    return keyOf(this.#sources[slot], id ?? '')
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

function keyOf(source: string | undefined, id: string): string {
  return source === undefined ? id : `${id} ${source}`
}

function remember(index: Map<string, number>, key: string): void {
  index.set(key, (index.get(key) ?? 0) + 1)
}

function forget(index: Map<string, number>, key: string): void {
  const others = (index.get(key) ?? 0) - 1
  if (others > 0) index.set(key, others)
  else index.delete(key)
}
