/** What several transports that act as one promise and report: capabilities, status, figures, health. */
import type { Capabilities, Health, QueueStats, StateName, TransportStatus } from '@bus/core'

/** How the transports are used together. */
export interface Combination {
  /** Whether an event published after another can overtake it, on another of them. */
  readonly keepsOrder: boolean
}

/** The weakest of each promise; with none, what depends on nothing. */
export function combineCapabilities(
  all: readonly Capabilities[],
  { keepsOrder }: Combination,
): Capabilities {
  const each = (promise: (one: Capabilities) => boolean): boolean => all.every(promise)
  const isOne = all.length === 1
  const inOrder = keepsOrder || isOne
  return Object.freeze({
    delivery: each((one) => one.delivery === 'at-least-once') ? 'at-least-once' : 'at-most-once',
    ordering: inOrder && each((one) => one.ordering !== 'none') ? 'per-publisher' : 'none',
    wildcards: each((one) => one.wildcards),
    publishConfirm: each((one) => one.publishConfirm),
    resume: each((one) => one.resume),
    gaps: each((one) => one.gaps),
    // Whatever comes on a second way is recognised.
    dedupe: !isOne || each((one) => one.dedupe),
    echo: each((one) => one.echo),
    backpressure: Object.freeze({
      inbound: weakestInbound(all),
      outbound: each((one) => one.backpressure.outbound === 'block') ? 'block' : 'none',
    }),
    binary: each((one) => one.binary),
    maxPayload: Math.min(Number.MAX_SAFE_INTEGER, ...all.map((one) => one.maxPayload)),
    reconnect: each((one) => one.reconnect),
  })
}

function weakestInbound(all: readonly Capabilities[]): Capabilities['backpressure']['inbound'] {
  const kinds = new Set(all.map((one) => one.backpressure.inbound))
  if (kinds.has('none')) return 'none'
  return kinds.has('pause') ? 'pause' : 'credits'
}

/** The nearer to sending, the earlier. */
const RANK: readonly StateName[] = Object.freeze([
  'ready',
  'bootstrapping',
  'connecting',
  'backoff',
  'idle',
  'draining',
  'closed',
])

/** The status of the one that is nearest to sending, the first of several; `undefined` of none. */
export function bestStatus(all: readonly TransportStatus[]): TransportStatus | undefined {
  let best: TransportStatus | undefined
  for (const status of all) {
    if (best === undefined || RANK.indexOf(status.state) < RANK.indexOf(best.state)) best = status
  }
  return best
}

/** All queues as one. */
export function sumStats(all: readonly QueueStats[]): QueueStats {
  const sum = (figure: (stats: QueueStats) => number): number =>
    all.reduce((total, stats) => total + figure(stats), 0)
  return Object.freeze({
    received: sum((s) => s.received),
    sent: sum((s) => s.sent),
    dropped: sum((s) => s.dropped),
    rejected: sum((s) => s.rejected),
    size: sum((s) => s.size),
    bytes: sum((s) => s.bytes),
    capacity: sum((s) => s.capacity),
    maxBytes: sum((s) => s.maxBytes),
    waiting: sum((s) => s.waiting),
    // Of the emptiest: that is where the next event goes.
    fillRatio: all.length === 0 ? 0 : Math.min(...all.map((s) => s.fillRatio)),
  })
}

/** Up as long as one is; degraded when some are not, each with its reasons under its name. */
export function combineHealth(
  all: readonly { readonly name: string; readonly health: Health }[],
  queue: QueueStats,
): Health {
  const reasons = all.flatMap(({ name, health }) => health.reasons.map((why) => `${name}: ${why}`))
  const states = new Set(all.map(({ health }) => health.status))
  const isDown = all.length === 0 || (states.size === 1 && states.has('down'))
  const isUp = states.size === 1 && states.has('up')
  const ages = all.flatMap(({ health }) => health.lastInboundAgeMs ?? [])
  return Object.freeze({
    status: isDown ? 'down' : isUp ? 'up' : 'degraded',
    reasons: Object.freeze(all.length === 0 ? ['There is no member'] : reasons),
    queue,
    ...(ages.length === 0 ? {} : { lastInboundAgeMs: Math.min(...ages) }),
  })
}
