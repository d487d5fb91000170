/** Pressure: how close a rate limit is to refusing, in four steps. */

/** From nothing to worry about to nearly full. */
export type Pressure = 'none' | 'low' | 'medium' | 'high'

/** `low` from a quarter on, `medium` from a half, `high` from three quarters. */
export function pressureOf(fillRatio: number): Pressure {
  if (fillRatio >= 0.75) return 'high'
  if (fillRatio >= 0.5) return 'medium'
  return fillRatio >= 0.25 ? 'low' : 'none'
}
