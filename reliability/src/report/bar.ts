/** A bar: one figure, and what it must be. */

/** Printed as it is. */
export interface Bar {
  readonly name: string
  /** What it must be: `= 0`, `≥ 1000`. */
  readonly want: string
  readonly got: number
  readonly ok: boolean
}

/** The figure must be this one. */
export function exactly(name: string, got: number, want: number): Bar {
  return { name, want: `= ${want}`, got, ok: got === want }
}

/** The figure must not be smaller. */
export function atLeast(name: string, got: number, want: number): Bar {
  return { name, want: `≥ ${want}`, got, ok: got >= want }
}

/** The figure must not be larger. */
export function atMost(name: string, got: number, want: number): Bar {
  return { name, want: `≤ ${want}`, got, ok: got <= want }
}
