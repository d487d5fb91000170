/** The slope of a figure over time. */

/**
 * The median of the slopes between any two points (Theil–Sen). What is only held for a moment, such as events that wait out
 * a fault while a heap is looked at, does not bend it as it bends a line of least squares; what is never given back does,
 * because it raises every later point.
 *
 * @returns how much the figure grows in one unit of time; 0 for fewer than two points
 */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const slopes = points
    .flatMap(([x, y], i) => points.slice(i + 1).map(([x2, y2]) => (y2 - y) / (x2 - x)))
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b)
  const middle = Math.floor(slopes.length / 2)
  const [low = 0, high = 0] =
    slopes.length % 2 === 1
      ? [slopes[middle], slopes[middle]]
      : [slopes[middle - 1], slopes[middle]]
  return (low + high) / 2
}
