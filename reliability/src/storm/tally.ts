/** The tally: what one of thousands of clients got, number by number, and what it should have got. */

/** What went wrong, over however many clients. All zero: every one got exactly what was for it, in order. */
export interface Verdict {
  /** Events that were for it and came. */
  readonly handled: number
  readonly lost: number
  readonly duplicates: number
  readonly disordered: number
  /** Events that were changed on the way, or were not for it. */
  readonly impossible: number
  /** Gaps that were told. */
  readonly gaps: number
}

/** Nothing yet. */
export const NO_VERDICT: Verdict = Object.freeze({
  handled: 0,
  lost: 0,
  duplicates: 0,
  disordered: 0,
  impossible: 0,
  gaps: 0,
})

/** Notes what comes; says in the end what is wrong with it. */
export class Tally {
  readonly #got: number[][]
  impossible = 0
  gaps = 0
  /** Events that came. */
  count = 0
  /** The event behind all others came. */
  isOver = false

  constructor(publishers: number) {
    this.#got = Array.from({ length: publishers }, () => [])
  }

  handle(p: number, n: number): void {
    const got = this.#got[p]
    if (got === undefined) {
      this.impossible++
      return
    }
    this.count++
    got.push(n)
  }

  /** @param expected - the numbers of each publisher, in order */
  compare(expected: readonly (readonly number[])[]): Verdict {
    let { impossible } = this
    let handled = 0
    let lost = 0
    let duplicates = 0
    let disordered = 0
    for (const [p, numbers] of expected.entries()) {
      const wanted = new Set(numbers)
      const seen = new Set<number>()
      let highest = -1
      for (const n of this.#got[p] ?? []) {
        if (!wanted.has(n)) impossible++
        else if (seen.has(n)) duplicates++
        else if (n < highest) disordered++
        seen.add(n)
        highest = Math.max(highest, n)
      }
      const came = numbers.filter((n) => seen.has(n)).length
      handled += came
      lost += numbers.length - came
    }
    return { handled, lost, duplicates, disordered, impossible, gaps: this.gaps }
  }
}

/** Both together. */
export function add(a: Verdict, b: Verdict): Verdict {
  return {
    handled: a.handled + b.handled,
    lost: a.lost + b.lost,
    duplicates: a.duplicates + b.duplicates,
    disordered: a.disordered + b.disordered,
    impossible: a.impossible + b.impossible,
    gaps: a.gaps + b.gaps,
  }
}
