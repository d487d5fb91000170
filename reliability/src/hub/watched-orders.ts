/** What a run and the process with watched hubs say to each other. */
import type { HubStats } from '@bus/websocket/hub'
import type { LoopFigures } from '../report/loop-watch.ts'

/** What `authenticate` makes of a token. */
export interface TokenRule {
  readonly id: string
  readonly grants?: { readonly publish?: readonly string[]; readonly subscribe?: readonly string[] }
  /** Milliseconds from then on. */
  readonly expiresInMs?: number
  /** Milliseconds until it answers; `Infinity` cannot be said in JSON: use `hangs`. */
  readonly delayMs?: number
  /** Something else than an answer. */
  readonly fails?: 'throws' | 'hangs' | 'nonsense'
}

/** How a token begins that says itself what it is for: its rule follows, as JSON in base64url. */
export const RULE_TOKEN = 'rule.'

/** The token that says this rule. */
export function ruleToken(rule: TokenRule): string {
  return RULE_TOKEN + Buffer.from(JSON.stringify(rule)).toString('base64url')
}

/** A hub as data. */
export interface WatchedSettings {
  readonly allowAnonymous?: boolean
  /** Principals by token. Without it there is no `authenticate`. */
  readonly tokens?: Readonly<Record<string, TokenRule>>
  readonly origins?: readonly string[]
  readonly hosts?: readonly string[]
  readonly path?: string
  readonly limits?: Readonly<Record<string, unknown>>
  readonly log?: Readonly<Record<string, number>>
  readonly maxMessageBytes?: number
  readonly helloMs?: number
  readonly closeMs?: number
  readonly holdMs?: number
  readonly heartbeatMs?: number
  readonly sessionTtlMs?: number
}

/** An order, with a number under which it is answered. */
export type WatchedOrder = { readonly order: number } & (
  | { readonly kind: 'open'; readonly name: string; readonly settings: WatchedSettings }
  | { readonly kind: 'stats'; readonly name: string }
  | { readonly kind: 'revoke'; readonly name: string; readonly principal: string }
  | { readonly kind: 'look' }
  /** Forgets how long its loop was blocked so far. */
  | { readonly kind: 'forget' }
)

/** The process as it is. */
export interface WatchedLook {
  readonly rssBytes: number
  readonly loop: LoopFigures
  /** Unhandled rejections, uncaught exceptions and warnings. */
  readonly mishaps: readonly string[]
  /** Everything that a hub reported to its application: errors, and what went over `diagnostics_channel`. */
  readonly told: readonly string[]
  /** The most authentications that ran at once. */
  readonly authentications: number
  /** Members that every object has got since the start. */
  readonly polluted: number
}

/** The answers. */
export type WatchedNews =
  | { readonly order: 0; readonly kind: 'loaded' }
  | { readonly order: number; readonly kind: 'port'; readonly port: number }
  | { readonly order: number; readonly kind: 'stats'; readonly stats: HubStats }
  | { readonly order: number; readonly kind: 'revoked'; readonly sessions: number }
  | { readonly order: number; readonly kind: 'look'; readonly look: WatchedLook }
  | { readonly order: number; readonly kind: 'forgotten' }
  | { readonly order: number; readonly kind: 'failed'; readonly reason: string }
