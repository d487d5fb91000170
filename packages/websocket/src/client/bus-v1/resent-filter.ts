/** The resent filter: drops what a publisher sent again although it had arrived. */

/** Remembers the last events by source and id; only resent ones are looked up, so an id used twice on purpose passes. */
export class ResentFilter {
  readonly #capacity: number
  /** In order of arrival: the oldest is the first. */
  readonly #keys = new Set<string>()

  constructor(capacity = 65_536) {
    this.#capacity = capacity
  }

  /** Notes an event; `true` when it was known. */
  add(source: unknown, id: string): boolean {
    const key = `${typeof source === 'string' ? source : ''} ${id}`
    if (this.#keys.has(key)) return true
    this.#keys.add(key)
    if (this.#keys.size > this.#capacity) {
      for (const oldest of this.#keys) {
        this.#keys.delete(oldest)
        break
      }
    }
    return false
  }
}
