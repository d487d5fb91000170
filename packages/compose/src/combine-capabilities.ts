/** The capabilities of several transports that act as one: what each of them promises. */
import type { Capabilities } from '@bus/core'

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
