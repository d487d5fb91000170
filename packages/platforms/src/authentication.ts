/** Authentication over the life of a transport: shown on each new link, renewed on the live one before it ends. */
import { AuthError, DisconnectedError, type Clock } from '@bus/core'
import { check, setLongTimeout, checkOptions, systemClock, withDeadline } from '@bus/core/kit'
import type { AuthContext } from '@bus/websocket'
import { RENEW_BEFORE_MS, renewalDelayMs, retryDelayMs } from '@bus/websocket/protocol'
import type { Frame, ProtocolLink } from '@bus/websocket/protocol'
import {
  needsRenewal,
  policyOf,
  policyShape,
  type AuthAnswer,
  type AuthHandler,
  type AuthPolicy,
  type AuthState,
} from './auth.ts'

/** The time that authentication goes by. */
export interface AuthTime {
  /** Time, for tests. @default the clock of the machine */
  readonly clock?: Clock | undefined
  /** The wall clock in milliseconds since 1970, for tests. @default Date.now */
  readonly now?: (() => number) | undefined
}

const NONE: AuthState = Object.freeze({ status: 'none' })
/** With which a link is ended whose credentials could not be renewed. */
const UNAUTHORIZED = 4401

/** One for each transport. */
export class Authentication {
  readonly #handler: AuthHandler
  readonly #clock: Clock
  readonly #now: () => number
  #state: AuthState = NONE
  /** When the credentials end, by the clock. */
  #endsAt: number | undefined
  #link: ProtocolLink | undefined
  #stopTimer: (() => void) | undefined
  #renewal: Promise<void> | undefined
  /** Refused in a row, on connecting. */
  #refusals = 0

  /** @throws `ConfigError` for a bad option. */
  constructor(handler: AuthHandler, time: AuthTime = {}) {
    check.withMethods('credentials')('auth', handler)
    checkOptions<AuthPolicy>('auth', policyOf(handler), policyShape)
    checkOptions<AuthTime>('', time, {
      clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
      now: check.func,
    })
    this.#handler = handler
    this.#clock = time.clock ?? systemClock
    this.#now = time.now ?? Date.now
  }

  /** How things stand with the server of the live link. */
  get state(): AuthState {
    return this.#state
  }

  /** Whether the credentials should be shown again by now, which happens by itself. */
  get needsRenewal(): boolean {
    return needsRenewal(this.#state, this.#now(), this.#renewBeforeMs)
  }

  /**
   * Says who we are on a new link, and again before that ends, until the link does.
   *
   * @throws `AuthError` when the server refuses, `retryable` the first time unless the credentials are fixed.
   */
  async authenticate(link: ProtocolLink): Promise<void> {
    this.#forget()
    this.#link = link
    link.signal.addEventListener('abort', () => this.#ended(link), { once: true })
    await this.#prove(link, 'connect', link.signal)
    this.#refusals = 0
    this.#schedule(link)
  }

  /**
   * Shows the credentials again on the live link, now. One that is under way is not started twice.
   *
   * @throws `AuthError`, `TimeoutError`, or `DisconnectedError` when there is no link or it breaks.
   */
  renew(): Promise<void> {
    const link = this.#link
    if (link === undefined) {
      return Promise.reject(new DisconnectedError('There is no link to renew the credentials on'))
    }
    if (this.#renewal !== undefined) return this.#renewal
    const renewal = this.#renew(link).finally(() => {
      if (this.#renewal === renewal) this.#renewal = undefined
    })
    return (this.#renewal = renewal)
  }

  /** A frame that nobody awaited; `true` when it was about authentication: a late answer, or that we are out. */
  heard(frame: Frame): boolean {
    const answer = this.#handler.onResponse?.(frame)
    const link = this.#link
    if (answer === undefined) return false
    if (link === undefined || answer.accepted) return true
    this.#change({ status: 'failed' })
    link.report('auth', refusal(answer.reason, true))
    this.#wake(link, retryDelayMs(0))
    return true
  }

  async #renew(link: ProtocolLink): Promise<void> {
    const { timeoutMs = 10_000 } = this.#handler
    const limits = { timeoutMs, signal: link.signal, clock: this.#clock }
    await withDeadline((signal) => this.#prove(link, 'renew', signal), {
      ...limits,
      what: 'Renewing the credentials',
    })
    if (this.#link === link) this.#schedule(link)
  }

  async #prove(
    link: ProtocolLink,
    reason: AuthContext['reason'],
    signal: AbortSignal,
  ): Promise<void> {
    const context = { reason, now: this.#now(), refusals: this.#refusals, signal }
    const frame: unknown = await this.#handler.credentials(context)
    // It took longer than the link lived: by now another one may be asking.
    signal.throwIfAborted()
    if (typeof frame !== 'string' && !(frame instanceof Uint8Array)) {
      throw new AuthError('Expected `credentials` to give a string or a Uint8Array')
    }
    const answer = await this.#ask(link, frame, signal)
    if (this.#link !== link || signal.aborted) throw new DisconnectedError('The link ended')
    if (answer.accepted) this.#accept(answer)
    else {
      this.#change({ status: 'failed' })
      if (reason === 'connect') this.#refusals++
      throw refusal(answer.reason, this.#handler.isFixed !== true && this.#refusals < 2)
    }
  }

  async #ask(link: ProtocolLink, frame: Frame, signal: AbortSignal): Promise<AuthAnswer> {
    if (this.#handler.onResponse === undefined) {
      await link.send(frame)
      return { accepted: true }
    }
    const answer = link.waitFor((reply) => this.#handler.onResponse?.(reply), signal)
    // A failing write says more than the wait that ends with the link.
    answer.catch(() => {})
    await link.send(frame)
    return await answer
  }

  #accept(answer: AuthAnswer & { readonly accepted: true }): void {
    const now = this.#now()
    const expiresAt =
      answer.expiresInMs === undefined
        ? (answer.expiresAt ?? this.#handler.expiresAt?.())
        : now + answer.expiresInMs
    this.#endsAt = expiresAt === undefined ? undefined : this.#clock.now() + expiresAt - now
    this.#change({ status: 'authenticated', ...(expiresAt === undefined ? {} : { expiresAt }) })
  }

  get #renewBeforeMs(): number {
    return this.#handler.renewBeforeMs ?? RENEW_BEFORE_MS
  }

  /** Milliseconds until the credentials end. */
  get #leftMs(): number | undefined {
    return this.#endsAt === undefined ? undefined : this.#endsAt - this.#clock.now()
  }

  #schedule(link: ProtocolLink): void {
    const leftMs = this.#leftMs
    if (leftMs === undefined) this.#stopTimer?.()
    else this.#wake(link, renewalDelayMs(leftMs, this.#renewBeforeMs))
  }

  #wake(link: ProtocolLink, ms: number): void {
    this.#stopTimer?.()
    this.#stopTimer = setLongTimeout(this.#clock, ms, () => {
      this.renew().catch((error: unknown) => this.#failed(link, error))
    })
  }

  /** Tries again while the credentials are good, and then on a new link. */
  #failed(link: ProtocolLink, error: unknown): void {
    if (this.#link !== link) return
    link.report('auth', error instanceof Error ? error : new Error(String(error)))
    const leftMs = this.#leftMs ?? 0
    if (leftMs > 0) this.#wake(link, retryDelayMs(leftMs))
    else link.close(UNAUTHORIZED, 'credentials ended')
  }

  #ended(link: ProtocolLink): void {
    if (this.#link === link) this.#forget()
  }

  #forget(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#link = undefined
    this.#endsAt = undefined
    this.#renewal = undefined
    if (this.#state !== NONE) this.#change(NONE)
  }

  #change(state: AuthState): void {
    this.#state = Object.freeze(state)
    try {
      this.#handler.onState?.(state)
    } catch (error) {
      this.#link?.report('listener', error instanceof Error ? error : new Error(String(error)))
    }
  }
}

function refusal(reason: string, retryable: boolean): AuthError {
  const why = reason === '' ? '' : `: ${reason}`
  return new AuthError(`The server does not accept our credentials${why}`, { retryable })
}
