/** The token of a session: shown in `hello`, and renewed on the live link before it ends. */
import { AuthError, BootstrapError, BusError, after, type Clock } from '@bus/core'
import { authLine } from '../../protocol/bus-v1/client-lines.ts'
import { isToken } from '../../protocol/bus-v1/hello.ts'
import {
  askToken,
  renewalDelayMs,
  retryDelayMs,
  type AuthContext,
  type SessionCredentials,
} from '../../protocol/credentials.ts'
import type { ProtocolLink } from '../../protocol/protocol.ts'

/** One per session. The hub answers a renewal only when it refuses it, and then by closing the link. */
export class SessionToken {
  readonly #credentials: SessionCredentials
  readonly #clock: Clock
  /** When the token that was shown last ends, by the clock. */
  #endsAt: number | undefined
  /** In a row. */
  #refusals = 0
  #stop: () => void = () => {}

  constructor(credentials: SessionCredentials, clock: Clock) {
    this.#credentials = credentials
    this.#clock = clock
  }

  /** What `hello` has to show. */
  async show(signal: AbortSignal): Promise<{ readonly token: string }> {
    try {
      return { token: await this.#ask('connect', signal) }
    } catch (error) {
      if (error instanceof BusError) throw error
      throw new BootstrapError('Getting the token failed', { cause: error })
    }
  }

  /** The link is ready: what it was shown is renewed before it ends. */
  up(link: ProtocolLink): void {
    this.#refusals = 0
    const leftMs = this.#leftMs
    if (leftMs === undefined) return
    this.#after(renewalDelayMs(leftMs, this.#credentials.renewBeforeMs), link)
  }

  /** The hub did not accept what it was shown last. */
  refused(): void {
    this.#refusals++
  }

  /** The link is gone. */
  down(): void {
    this.#stop()
  }

  get #leftMs(): number | undefined {
    return this.#endsAt === undefined ? undefined : this.#endsAt - this.#clock.now()
  }

  #after(ms: number, link: ProtocolLink): void {
    this.#stop()
    this.#stop = after(this.#clock, ms, () => {
      this.#renew(link).catch((error: unknown) => {
        if (link.signal.aborted) return
        link.report('auth', error instanceof Error ? error : new Error(String(error)))
        // Once it has ended, the hub closes the link; the next one gets another token.
        const leftMs = this.#leftMs ?? 0
        if (leftMs > 0) this.#after(retryDelayMs(leftMs), link)
      })
    })
  }

  async #renew(link: ProtocolLink): Promise<void> {
    const token = await this.#ask('renew', link.signal)
    await link.send(authLine(token))
    this.up(link)
  }

  async #ask(reason: AuthContext['reason'], signal: AbortSignal): Promise<string> {
    const context = { reason, now: Date.now(), refusals: this.#refusals, signal }
    const { token, expiresAt } = await askToken(this.#credentials.token, context)
    // It took longer than the link lived: by now another one may be asking.
    signal.throwIfAborted()
    if (!isToken(token)) throw new AuthError('The token is longer than the hub takes')
    this.#endsAt = expiresAt === undefined ? undefined : this.#clock.now() + expiresAt - Date.now()
    return token
  }
}
