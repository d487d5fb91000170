/** The resent filter: drops what a publisher sent again although it had arrived. */

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
