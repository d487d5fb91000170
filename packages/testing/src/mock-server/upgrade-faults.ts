/** What goes wrong with the handshakes to come, in sequence. */

/** One way to treat a handshake wrongly. */
export type UpgradeFault =
  | {
      readonly kind: 'refuse'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  | { readonly kind: 'hang' }
  | { readonly kind: 'drip'; readonly intervalMs: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'answer'; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }

/**
 * The faults of the next handshakes. One with a number of times is followed by the one set after it; one without lasts
 * until the next is set.
 */
export class UpgradeFaults {
  #sequence: { readonly fault: UpgradeFault; left: number }[] = []

  /** Appends a fault, in place of one that would have lasted for ever. */
  add(fault: UpgradeFault, times: number = Infinity): void {
    if (this.#sequence.at(-1)?.left === Infinity) this.#sequence.pop()
    this.#sequence.push({ fault, left: times })
  }

  /** The fault for the handshake that has just come. */
  next(): UpgradeFault | undefined {
    const head = this.#sequence[0]
    if (head === undefined) return undefined
    head.left--
    if (head.left === 0) this.#sequence.shift()
    return head.fault
  }

  clear(): void {
    this.#sequence = []
  }
}
