/** The figures of a hub that a bad input may move, each a number. */
import type { HubStats } from '@bus/websocket/hub'
import type { Moved } from './row.ts'

/** What depends on how many readers a hub has, and how fast they are. */
const OTHERS = [
  'relayed',
  'delivered',
  'connections',
  'subscriptions',
  'sessions',
  'held',
  'heldBytes',
]

/** Those that only grow. What both wires have is that of `bus.v1`. */
export function figuresOf(stats: HubStats): Moved {
  const { busV1, ...plain } = stats
  const all = { ...plain, plainBadFrames: plain.badFrames, plainRefused: plain.refused, ...busV1 }
  const figures: Record<string, number> = {}
  for (const [name, value] of Object.entries(all)) {
    if (typeof value === 'number' && !OTHERS.includes(name)) figures[name] = value
  }
  return figures
}

/** What is different. */
export function movedBetween(before: Moved, after: Moved): Moved {
  const moved: Record<string, number> = {}
  for (const [name, value] of Object.entries(after)) {
    const by = value - (before[name] ?? 0)
    if (by !== 0) moved[name] = by
  }
  return moved
}

/** Whether the same figures moved as far. One that is wanted to move by 0 need not be there. */
export function isSame(got: Moved, want: Moved): boolean {
  const names = new Set([...Object.keys(got), ...Object.keys(want)])
  return [...names].every((name) => (got[name] ?? 0) === (want[name] ?? 0))
}
