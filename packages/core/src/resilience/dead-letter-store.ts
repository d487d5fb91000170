/** Where dead letters lie: bounded, in order, each in the hands of at most one at a time. */

import type { DeadLetter } from './dead-letter.ts'
import { v7 as uuidv7 } from 'uuid'
import { REDACTED } from '../config/redact.ts'
import type { Undeliverable } from '../contract/transport.ts'

interface Slot {
  letter: DeadLetter
  readonly bytes: number
  /** Failed handlings by consumers. */
  tries: number
  inHand: boolean
  /** Its event was given up again while in hand: what the holder takes for success is none. */
  givenUpAgain: boolean
}

/** One letter that is being worked on: no other consumer gets it until `release`. */
export interface Lease {
  /** As it is now. */
  readonly letter: DeadLetter
  /** Removes the letter. `false`: its event was given up again meanwhile, so the letter is kept. */
  succeed(): boolean
  /** Notes one more attempt, under the same lease; marks the letter as parked where consumers have tried it `maxTries` times. */
  fail(maxTries?: number): DeadLetter
  /** Puts the letter back in its place, if it is still there. */
  release(): void
}

/** The letters, oldest first, with their bounds and figures. */
export class DeadLetterStore {
  readonly capacity: number
  readonly maxBytes: number
  readonly #slots = new Map<string, Slot>()
  /** Those that are not parked, in the same order: parked ones must not slow down the search for the next. */
  readonly #open = new Set<Slot>()
  readonly #held = new Set<Slot>()
  readonly #wakers = new Set<() => void>()
  #bytes = 0
  #removed = 0

  constructor(bounds: { readonly capacity: number; readonly maxBytes: number }) {
    this.capacity = bounds.capacity
    this.maxBytes = bounds.maxBytes
  }

  get size(): number {
    return this.#slots.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get parked(): number {
    return this.#slots.size - this.#open.size
  }

  /** Letters that left by success, `remove` or `clear`. */
  get removed(): number {
    return this.#removed
  }

  hasRoom(bytes: number): boolean {
    return this.#slots.size < this.capacity && this.#bytes + bytes <= this.maxBytes
  }

  /** The caller has made sure that it fits. */
  add(letter: DeadLetter, bytes: number): void {
    const slot: Slot = { letter, bytes, tries: 0, inHand: false, givenUpAgain: false }
    this.#slots.set(letter.id, slot)
    this.#open.add(slot)
    this.#bytes += bytes
    this.#wake()
  }

  /** Takes out the oldest that is not in hand. */
  evict(): DeadLetter | undefined {
    for (const slot of this.#slots.values()) {
      if (slot.inHand) continue
      this.#forget(slot)
      return slot.letter
    }
    return undefined
  }

  get(id: string): DeadLetter | undefined {
    return this.#slots.get(id)?.letter
  }

  *letters(): IterableIterator<DeadLetter> {
    for (const slot of this.#slots.values()) yield slot.letter
  }

  remove(id: string): boolean {
    const slot = this.#slots.get(id)
    if (slot === undefined) return false
    this.#forget(slot)
    this.#removed++
    return true
  }

  /** Takes the oldest letter that is neither parked nor in hand. */
  lease(): Lease | undefined {
    for (const slot of this.#open) if (!slot.inHand) return this.#hand(slot)
    return undefined
  }

  /** Takes this letter, parked or not, unless it is gone or in hand. */
  leaseOf(id: string): Lease | undefined {
    const slot = this.#slots.get(id)
    return slot === undefined || slot.inHand ? undefined : this.#hand(slot)
  }

  /** The letter in hand whose event this is, which is thereby kept: its holder tried to deliver it and failed. */
  claimAgain(eventId: string): DeadLetter | undefined {
    for (const slot of this.#held) {
      if (slot.letter.event?.id !== eventId) continue
      slot.givenUpAgain = true
      return slot.letter
    }
    return undefined
  }

  /** Calls back whenever there may be something to lease. */
  onAvailable(wake: () => void): () => void {
    this.#wakers.add(wake)
    return () => this.#wakers.delete(wake)
  }

  #hand(slot: Slot): Lease {
    slot.inHand = true
    slot.givenUpAgain = false
    this.#held.add(slot)
    return {
      get letter() {
        return slot.letter
      },
      succeed: () => {
        if (slot.givenUpAgain) return false
        this.remove(slot.letter.id)
        return true
      },
      fail: (maxTries) => {
        const parked = maxTries !== undefined && ++slot.tries >= maxTries
        const { attempts } = slot.letter
        slot.letter = Object.freeze({
          ...slot.letter,
          attempts: attempts + 1,
          parked: parked || slot.letter.parked,
        })
        if (parked) this.#open.delete(slot)
        return slot.letter
      },
      release: () => {
        slot.inHand = false
        this.#held.delete(slot)
        this.#wake()
      },
    }
  }

  #forget(slot: Slot): void {
    if (!this.#slots.delete(slot.letter.id)) return
    this.#open.delete(slot)
    this.#held.delete(slot)
    this.#bytes -= slot.bytes
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }
}

/** Answers with the content to store. */
export type RedactHook = (letter: DeadLetter) => Pick<DeadLetter, 'event' | 'raw' | 'error'>

/** The payload is kept as it is, raw bytes are copied: a transport may read the next frame into the same memory. */
export function letterOf(undeliverable: Undeliverable, source: string): DeadLetter {
  const { event, raw, reason, direction, error, attempts } = undeliverable
  const code = (error as { readonly code?: unknown }).code
  return Object.freeze({
    id: uuidv7(),
    ...(event && { event }),
    ...(raw !== undefined && { raw: typeof raw === 'string' ? raw : new Uint8Array(raw) }),
    reason,
    direction,
    error: Object.freeze({
      name: error.name,
      message: error.message,
      ...(typeof code === 'string' && { code }),
    }),
    attempts,
    failedAt: Date.now(),
    source,
    parked: false,
  })
}

/** The letter with the content that the hook gives; without content where the hook throws. */
export function redactLetter(
  letter: DeadLetter,
  redact: RedactHook | undefined,
  onError: (error: unknown) => void,
): DeadLetter {
  if (redact === undefined) return letter
  const { event: _event, raw: _raw, ...bare } = letter
  try {
    const { event, raw, error } = redact(letter)
    const content = { ...(event && { event }), ...(raw !== undefined && { raw }) }
    return Object.freeze({ ...bare, ...content, error: Object.freeze({ ...error }) })
  } catch (error) {
    onError(error)
    const { name } = letter.error
    return Object.freeze({ ...bare, error: Object.freeze({ name, message: REDACTED }) })
  }
}

/** What an entry costs besides its content. */
const ENTRY_BYTES = 256
/** What an object costs besides its members. */
const OBJECT_BYTES = 16
const SCALAR_BYTES = 8

/**
 * An estimate from the length of texts and bytes and the number of members. It works where JSON does not:
 * with cycles, BigInt and members that throw, which are what dead letters may be made of.
 */
export function footprint(value: unknown): number {
  let bytes = ENTRY_BYTES
  const seen = new Set<object>()
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next === 'string') bytes += next.length
    else if (typeof next !== 'object' || next === null) bytes += SCALAR_BYTES
    else if (!seen.has(next)) {
      seen.add(next)
      bytes += OBJECT_BYTES
      if (ArrayBuffer.isView(next)) bytes += next.byteLength
      else for (const part of partsOf(next)) pending.push(part)
    }
  }
  return bytes
}

function partsOf(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value
  try {
    return Object.entries(value).flat()
  } catch {
    // A getter threw. The estimate misses this object's members; reading them gives the error.
    return []
  }
}
