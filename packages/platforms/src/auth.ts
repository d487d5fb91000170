/** The port of authentication by messages: what we show, and what the server's answer means. */
import { check, type Shape } from '@bus/core/kit'
import type { AuthContext } from '@bus/websocket'
import type { Frame } from '@bus/websocket/protocol'

/** What the server made of our credentials. */
export type AuthAnswer =
  | {
      readonly accepted: true
      /** When the credentials end, in milliseconds since 1970; the two clocks must agree. @default never */
      readonly expiresAt?: number
      /** How long they last from now, in milliseconds; counts before `expiresAt`. @default never */
      readonly expiresInMs?: number
      /** A token to show from now on. */
      readonly token?: string
    }
  | {
      readonly accepted: false
      /** What the server says about it; without the credentials. */
      readonly reason: string
    }

/** When credentials are renewed on a live link, and who is told. */
export interface AuthPolicy {
  /** Milliseconds before their end at which they are renewed, at the earliest after half of their life. @default 60_000 */
  readonly renewBeforeMs?: number | undefined
  /** Milliseconds that the server gets to answer a renewal. @default 10_000 */
  readonly timeoutMs?: number | undefined
  /** Told of each change: authenticated (also by a renewal), failed, or none when the link is gone. */
  readonly onState?: ((state: AuthState) => void) | undefined
}

/** How one kind of server is told who we are. */
export interface AuthHandler extends AuthPolicy {
  /** The credentials never change, so a refusal is final. @default false: one more attempt is made, with fresh ones */
  readonly isFixed?: boolean
  /** Makes the message that says who we are. */
  credentials(context: AuthContext): Frame | Promise<Frame>
  /**
   * Looks at each frame while an answer is awaited; `undefined`: it is not about authentication, and goes its usual
   * way. Absent: the server answers nothing, and the credentials count as accepted when they were sent.
   */
  onResponse?(frame: Frame): AuthAnswer | undefined
  /** When the credentials that were made last end, in milliseconds since 1970, where the answer does not say. */
  expiresAt?(): number | undefined
}

/** How things stand with the server of the live link. */
export interface AuthState {
  readonly status: 'none' | 'authenticated' | 'failed'
  /** When the credentials end, in milliseconds since 1970. Absent: never, as far as we know. */
  readonly expiresAt?: number
}

/**
 * Whether credentials must be shown again: the server refused them, or they end within `beforeMs`. Not while they are
 * good, when they have no end, or when none were shown at all.
 */
export function needsRenewal(state: AuthState, now: number, beforeMs: number): boolean {
  if (state.status !== 'authenticated') return state.status === 'failed'
  return state.expiresAt !== undefined && state.expiresAt - now <= beforeMs
}

/** What each part of the policy accepts. */
export const policyShape: Shape<AuthPolicy> = {
  renewBeforeMs: check.durationMs({ allowLong: true }),
  timeoutMs: check.durationMs({ min: 1 }),
  onState: check.func,
}

/** The policy within options that hold more. */
export function policyOf({ renewBeforeMs, timeoutMs, onState }: AuthPolicy): AuthPolicy {
  return {
    ...(renewBeforeMs === undefined ? {} : { renewBeforeMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(onState === undefined ? {} : { onState }),
  }
}
