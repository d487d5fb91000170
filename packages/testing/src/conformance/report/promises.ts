/** The promises that users ask for, in words: what the capabilities say of each, and which cases try it. */
import type { Capabilities } from '@bus/core'

/** One row of the table of guarantees. */
export interface PromiseInWords {
  readonly promise: string
  /** What the transport says of it. */
  claim(capabilities: Capabilities): string
  /** The cases that try it where it is promised. */
  readonly cases: readonly string[]
}

const MIB = 1_024 * 1_024

const ORDERS: Readonly<Record<Capabilities['ordering'], string>> = {
  none: 'no',
  'per-publisher': 'per publisher',
  total: 'one for all',
}

const HOLDS: Readonly<Record<Capabilities['backpressure']['inbound'], string>> = {
  credits: 'yes, by withheld credits',
  pause: 'yes, by not reading on',
  none: 'no',
}

const yesNo = (claimed: boolean): string => (claimed ? 'yes' : 'no')

/** In the order in which a reader asks. */
export const PROMISES: readonly PromiseInWords[] = Object.freeze([
  {
    promise: 'delivery',
    claim: (c) => (c.delivery === 'at-least-once' ? 'at least once' : 'at most once'),
    cases: ['B1', 'E2', 'G2'],
  },
  {
    promise: 'a publish resolves when',
    claim: (c) =>
      c.publishConfirm ? 'the medium has accepted it' : 'it was handed to the network',
    cases: ['E1'],
  },
  { promise: 'order', claim: (c) => ORDERS[c.ordering], cases: ['C1', 'C2', 'C7'] },
  {
    promise: 'patterns `order.*` and `order.>`',
    claim: (c) => yesNo(c.wildcards),
    cases: ['B9'],
  },
  {
    promise: 'a publisher’s own events reach it',
    claim: (c) => yesNo(c.echo),
    cases: ['B5'],
  },
  {
    promise: 'reconnects, with its subscriptions',
    claim: (c) => yesNo(c.reconnect),
    cases: ['G1', 'G6', 'G7'],
  },
  {
    promise: 'what was missed during a break is delivered later',
    claim: (c) => yesNo(c.resume),
    cases: ['G2', 'G4'],
  },
  {
    promise: 'what can no longer be delivered is reported',
    claim: (c) => (c.gaps ? 'yes, by a `gap` before later events' : 'no'),
    cases: ['G3', 'G5'],
  },
  {
    promise: 'duplicates are removed',
    claim: (c) => yesNo(c.dedupe),
    cases: ['E4', 'G13'],
  },
  {
    promise: 'a slow handler slows publishers down',
    claim: (c) => HOLDS[c.backpressure.inbound],
    cases: ['F1', 'F5', 'F6'],
  },
  {
    promise: 'a full outbox makes publishers wait',
    claim: (c) => yesNo(c.backpressure.outbound === 'block'),
    cases: ['F3', 'F7'],
  },
  { promise: 'bytes as payload', claim: (c) => yesNo(c.binary), cases: ['B11'] },
  { promise: 'largest event', claim: ({ maxPayload }) => sizeOf(maxPayload), cases: ['A8'] },
])

function sizeOf(bytes: number): string {
  const mebibytes = Math.round(bytes / MIB)
  return bytes % MIB === 0 || mebibytes > 100 ? `${mebibytes} MiB` : `${bytes} bytes`
}
