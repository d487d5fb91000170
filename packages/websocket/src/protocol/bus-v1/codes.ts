/** The short codes of `bus.v1`: why something was refused, lost, or ended the link. */

/** Why the hub refused an event: its number is used up, and it was relayed to nobody. */
export type RefusalCode =
  /** Larger than the hub takes. */
  | 'size'
  /** Not a type of the grammar. */
  | 'type'
  /** The publisher may not publish this type. */
  | 'auth'
  /** More than the publisher may send in a second. */
  | 'rate'
  /** It cannot be relayed. */
  | 'poison'
  /** The hub takes nothing new. */
  | 'closed'

/** Why the hub refused a subscription. */
export type SubscriptionRefusal =
  /** Not a pattern of the grammar, or one with too many wildcards. */
  | 'pattern'
  /** Wider than what the subscriber may read. */
  | 'auth'
  /** One more than a connection, or the hub, takes. */
  | 'limit'

/** Why events are missing. */
export type GapReason =
  /** The hub started anew and its log is another one. */
  | 'epoch'
  /** The subscriber was away for longer than the log reaches back. */
  | 'overrun'
  /** The subscriber was connected and too slow. */
  | 'slow'
  /** The line of one is larger than the messages that the subscriber takes. */
  | 'size'

/** What of a line broke the grammar; it stands behind the verb in the reason of close code 4400. */
export type LineFault =
  | 'verb'
  | 'empty'
  | 'first'
  | 'early'
  | 'again'
  | 'fields'
  | 'n'
  | 'id'
  | 'type'
  | 'pattern'
  | 'mode'
  | 'offset'
  | 'code'
  | 'why'
  | 'body'
  | 'json'
  | 'shape'
  | 'version'
  | 'size'

/** The refusals of events that exist. */
export const REFUSAL_CODES: readonly RefusalCode[] = Object.freeze([
  'size',
  'type',
  'auth',
  'rate',
  'poison',
  'closed',
])

/** The reasons for missing events that exist. */
export const GAP_REASONS: readonly GapReason[] = Object.freeze(['epoch', 'overrun', 'slow', 'size'])

/** Whether the text is a known reason for missing events. */
export function isGapReason(text: unknown): text is GapReason {
  return (GAP_REASONS as readonly unknown[]).includes(text)
}

/** Whether the text could be a code, of this version or a later one: lower-case words with hyphens. */
export function isCode(text: unknown): text is string {
  return typeof text === 'string' && /^[a-z][a-z-]{0,31}$/.test(text)
}
