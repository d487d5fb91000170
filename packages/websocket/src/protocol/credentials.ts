/** Credentials: where they come from, and when they must be renewed. */
import { AuthError } from '@bus/core'

/** How long before their end credentials are renewed, unless told otherwise. */
export const RENEW_BEFORE_MS = 60_000

/** The shortest wait before credentials are renewed, should their life be very short or over. */
const MIN_RENEWAL_MS = 1_000

/** What is known when credentials are made. */
export interface AuthContext {
  /** `connect`: on a new link, before anything else. `renew`: on a live one, before they end. */
  readonly reason: 'connect' | 'renew'
  /** The wall clock, in milliseconds since 1970: for timestamps that are signed. */
  readonly now: number
  /** How many times in a row they were refused; fresh ones are wanted if it is more than 0. */
  readonly refusals: number
  /** Aborted when nobody waits for them any more. */
  readonly signal: AbortSignal
}

/** A token, alone or with its end in milliseconds since 1970. */
export type Token = string | { readonly token: string; readonly expiresAt?: number }

/** A token, or a function that gets one: asked on each new connection and for each renewal. */
export type TokenSource = string | ((context: AuthContext) => Token | Promise<Token>)

/** The token of a session, and when it is renewed. */
export interface SessionCredentials {
  readonly token: TokenSource
  /** It never changes, so that one that was refused is refused again. */
  readonly isFixed: boolean
  /** Milliseconds before its end. */
  readonly renewBeforeMs: number
}

/** Whether it has no control character: one at the end, of the file that it was read from, would go unseen for long. */
export function isPrintable(token: string): boolean {
  return !/\p{Cc}/u.test(token)
}

/**
 * Asks for a token.
 *
 * @throws `AuthError` when there is none, or something else. Its message shows nothing of it.
 */
export async function askToken(
  source: TokenSource,
  context: AuthContext,
): Promise<{ readonly token: string; readonly expiresAt: number | undefined }> {
  const given: unknown = typeof source === 'function' ? await source(context) : source
  const isRecord = typeof given === 'object' && given !== null
  const { token, expiresAt } = isRecord ? (given as Record<string, unknown>) : { token: given }
  if (token === undefined || token === null || token === '') {
    throw new AuthError('There are no credentials: `token` gave nothing')
  }
  if (typeof token !== 'string') {
    throw new AuthError(`Expected \`token\` to give a string, got ${typeof token}`)
  }
  if (!isPrintable(token)) {
    throw new AuthError('The token holds a control character; does it end with a line break?')
  }
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    throw new AuthError('Expected `expiresAt` of the token to be milliseconds since 1970')
  }
  return { token, expiresAt: expiresAt as number | undefined }
}

/**
 * Milliseconds until credentials that live for `leftMs` must be renewed: `beforeMs` before their end, but not before
 * half of their life is over, so that short-lived ones are not renewed without pause.
 */
export function renewalDelayMs(leftMs: number, beforeMs: number): number {
  return Math.max(leftMs - beforeMs, leftMs / 2, MIN_RENEWAL_MS)
}

/** Milliseconds until a renewal that failed is tried again: more often the less is left. */
export function retryDelayMs(leftMs: number): number {
  return Math.max(Math.min(leftMs / 4, RENEW_BEFORE_MS), MIN_RENEWAL_MS)
}
