/** Authentication and permissions: who a client is, by the application's `authenticate`, and what it may publish and subscribe to. */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { ConfigError, isPattern, type Clock } from '@bus/core'
import { withDeadline } from '@bus/core/kit'
import Denque from 'denque'

/** What a client presents. */
export interface Credentials {
  /** The handshake, for its headers or its client certificate. */
  readonly request: IncomingMessage
  /** What follows `Bearer` in the handshake, or came with the first line. */
  readonly token: string | undefined
  /** Aborted when the answer is no longer needed. */
  readonly signal: AbortSignal
}

/** Says who presents these credentials; `null`: they are not valid. */
export type Authenticate = (
  credentials: Credentials,
) => Principal | null | Promise<Principal | null>

export interface AuthenticatorOptions {
  readonly authenticate: Authenticate | undefined
  readonly allowAnonymous: boolean
  /** Authentications at the same time; more of them wait. */
  readonly concurrency: number
  /** Milliseconds for the wait and the authentication together. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** What `authenticate` threw, or returned that is neither a principal nor `null`. */
  readonly onError: (error: unknown) => void
}

/** What is authenticated. */
export type PresentedCredentials = Omit<Credentials, 'signal'>

/** Who it is, or why that is not known: the credentials are not valid, or could not be checked. */
export type AuthenticationResult = Principal | 'unauthorized' | 'unavailable'

/** An authentication that has not begun. */
interface Waiting {
  /** The client has left, or its time is over, so the answer is not needed. */
  readonly isOver: () => boolean
  readonly enter: () => void
}

/**
 * Anything that goes wrong is a refusal. While as many authentications run as may, more of them wait; one that does not end in
 * time lets the next one begin.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  /** Bounded by the connections: each waits once. */
  readonly #waiting = new Denque<Waiting>()
  #underWay = 0
  /** The names that were revoked meanwhile, for each authentication whose result was not used yet. */
  readonly #revoked = new Set<Set<string>>()

  constructor(options: AuthenticatorOptions) {
    this.#options = options
  }

  /** Whether credentials are checked at all. */
  get readsCredentials(): boolean {
    return this.#options.authenticate !== undefined
  }

  /**
   * Who is revoked meanwhile is refused: the callback may have looked before.
   *
   * @param isGone - whether the client has left
   * @param use - called with the result, with nothing in between in which the principal could be revoked
   */
  async authenticate(
    presented: PresentedCredentials,
    isGone: () => boolean,
    use: (result: AuthenticationResult) => void,
  ): Promise<void> {
    const revoked = new Set<string>()
    this.#revoked.add(revoked)
    try {
      const result = await this.#authenticate(presented, isGone)
      use(typeof result === 'object' && revoked.has(result.id) ? 'unauthorized' : result)
    } finally {
      this.#revoked.delete(revoked)
    }
  }

  /** Refuses this principal where its authentication is under way. */
  revoke(principalId: string): void {
    for (const revoked of this.#revoked) revoked.add(principalId)
  }

  async #authenticate(
    presented: PresentedCredentials,
    isGone: () => boolean,
  ): Promise<AuthenticationResult> {
    const { authenticate, allowAnonymous, timeoutMs, clock } = this.#options
    if (authenticate === undefined) return allowAnonymous ? ANONYMOUS : 'unauthorized'
    const started = withDeadline((signal) => this.#run(authenticate, presented, isGone, signal), {
      timeoutMs,
      clock,
      what: 'Authentication',
    })
    // Only the deadline: what the callback throws was reported.
    return await started.catch(() => 'unavailable' as const)
  }

  async #run(
    authenticate: Authenticate,
    presented: PresentedCredentials,
    isGone: () => boolean,
    signal: AbortSignal,
  ): Promise<AuthenticationResult> {
    await this.#enter(() => signal.aborted || isGone())
    let hasLeft = false
    const leave = (): void => {
      signal.removeEventListener('abort', leave)
      if (!hasLeft) this.#leave()
      hasLeft = true
    }
    signal.addEventListener('abort', leave, { once: true })
    try {
      return this.#judge(await authenticate({ ...presented, signal }), presented)
    } catch (error) {
      this.#options.onError(error)
      return 'unavailable'
    } finally {
      leave()
    }
  }

  #judge(principal: unknown, { token }: PresentedCredentials): AuthenticationResult {
    // A client without credentials is anonymous, one with bad credentials is not.
    if (principal === null) {
      return token === undefined && this.#options.allowAnonymous ? ANONYMOUS : 'unauthorized'
    }
    checkPrincipal(principal)
    if (hasExpired(principal)) return 'unauthorized'
    try {
      checkGrants(principal.grants)
      return principal
    } catch (error) {
      this.#options.onError(error)
      // What it may do is not known, who it is is: a refusal for the moment would bring it back again and again.
      return { ...principal, grants: NO_GRANTS }
    }
  }

  /** Resolves when it may begin; never for one that is over by then, whose deadline ends the wait. */
  async #enter(isOver: () => boolean): Promise<void> {
    if (this.#underWay < this.#options.concurrency) {
      this.#underWay++
      return
    }
    await new Promise<void>((enter) => void this.#waiting.push({ isOver, enter }))
  }

  /** Lets the next one begin that is still needed. */
  #leave(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (next.isOver()) continue
      next.enter()
      return
    }
    this.#underWay--
  }
}

/** Types whose answers are remembered. */
const MAX_TYPES = 1_024

/** What one principal may do. Made anew when its credentials are renewed. */
export class Permission {
  /** Whether every type may be published: neither the grants nor the application limit it. */
  readonly mayPublishAll: boolean
  readonly #principal: Principal
  readonly #authorize: Authorize | undefined
  readonly #onError: (error: unknown) => void
  /** Made for the first event: most connections publish nothing. */
  #publish: Map<string, boolean> | undefined

  constructor(
    principal: Principal,
    authorize: Authorize | undefined,
    onError: (error: unknown) => void,
  ) {
    this.#principal = principal
    this.#authorize = authorize
    this.#onError = onError
    this.mayPublishAll = authorize === undefined && principal.grants?.publish === undefined
  }

  mayPublish(type: string): boolean {
    this.#publish ??= new Map()
    let answer = this.#publish.get(type)
    if (answer === undefined) {
      answer = this.#may('publish', type)
      if (this.#publish.size === MAX_TYPES) this.#publish.clear()
      this.#publish.set(type, answer)
    }
    return answer
  }

  maySubscribe(pattern: string): boolean {
    return this.#may('subscribe', pattern)
  }

  #may(action: Action, pattern: string): boolean {
    try {
      const grants = this.#principal.grants?.[action]
      if (grants !== undefined && !grants.some((grant) => covers(grant, pattern))) return false
      if (this.#authorize === undefined) return true
      const answer: unknown = this.#authorize(this.#principal, action, pattern)
      if (typeof answer === 'boolean') return answer
      // It is a refusal already: if it is a promise, what becomes of it does not matter.
      void Promise.resolve(answer).catch(() => {})
      throw ConfigError.expected('authorize', 'to return true or false', answer)
    } catch (error) {
      this.#onError(error)
      return false
    }
  }
}

/** Patterns that a principal may publish to and subscribe to. */
export interface Grants {
  /** Absent: every type. */
  readonly publish?: readonly string[]
  /** Absent: every pattern. A pattern is granted when one of these covers it whole. */
  readonly subscribe?: readonly string[]
}

/** An authenticated client. */
export interface Principal {
  /** A session belongs to the id that began it. */
  readonly id: string
  /** @default everything is granted */
  readonly grants?: Grants
  /** When the credentials end: wall clock, milliseconds since 1970. @default never */
  readonly expiresAt?: number
}

/** What a principal does with a pattern. */
export type Action = 'publish' | 'subscribe'

/** Decides beyond the grants whether a principal may do something. A type that is published is passed as a pattern. */
export type Authorize = (principal: Principal, action: Action, pattern: string) => boolean

/** Every client without credentials, where that is allowed. */
export const ANONYMOUS: Principal = Object.freeze({ id: 'anonymous' })

/** The name under which the connections of a principal are counted together; `undefined` for the anonymous. */
export function countedName(principal: Principal): string | undefined {
  return principal === ANONYMOUS ? undefined : principal.id
}

/** Milliseconds for which expired credentials are still accepted, for clocks that differ. */
export const EXPIRY_GRACE_MS = 30_000

/** Whether credentials expired longer ago than the grace. */
function hasExpired({ expiresAt = Infinity }: Principal): boolean {
  return expiresAt + EXPIRY_GRACE_MS <= Date.now()
}

const NO_GRANTS: Grants = Object.freeze({
  publish: Object.freeze([]),
  subscribe: Object.freeze([]),
})

function notReturned(what: string, got: unknown): ConfigError {
  return ConfigError.expected('authenticate', `to return ${what}`, got)
}

/** @throws `ConfigError` unless what an application returned is a principal, whose grants are not looked at */
function checkPrincipal(value: unknown): asserts value is Principal {
  if (!isRecord(value)) throw notReturned('a principal with an id, or null', value)
  const { id, expiresAt } = value
  if (typeof id !== 'string' || id === '') {
    throw notReturned('a principal whose `id` is a string that is not empty', id)
  }
  if (expiresAt !== undefined && (typeof expiresAt !== 'number' || Number.isNaN(expiresAt))) {
    throw notReturned('a principal whose `expiresAt` is a number of milliseconds', expiresAt)
  }
}

/**
 * Grants that are absent grant everything, so what is not of the accepted form must not be taken for absent.
 *
 * @throws `ConfigError` unless they are grants
 */
function checkGrants(grants: unknown): void {
  if (grants === undefined) return
  if (!isRecord(grants)) throw notReturned('a principal whose `grants` are an object', grants)
  for (const [action, patterns] of Object.entries(grants)) {
    // A name that is misspelt would grant everything.
    if (action !== 'publish' && action !== 'subscribe') {
      throw notReturned('`grants` with `publish` and `subscribe` only', action)
    }
    if (patterns !== undefined && !isListOfPatterns(patterns)) {
      throw notReturned(`a list of patterns as \`grants.${action}\``, patterns)
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOfPatterns(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && isPattern(item))
}

/** Whether a grant covers a pattern whole. A type is a pattern that matches itself. */
export function covers(grant: string, pattern: string): boolean {
  const granted = grant.split('.')
  const tokens = pattern.split('.')
  for (const [i, token] of tokens.entries()) {
    const rule = granted[i]
    if (rule === '>') return true
    if (rule === undefined || token === '>') return false
    if (rule !== '*' && rule !== token) return false
  }
  return granted.length === tokens.length
}

/**
 * Compares a secret with the expected one in constant time, for instance in `authenticate`. An absent or empty secret never
 * matches.
 *
 * @example
 * ```ts
 * import { createHub, isSameSecret } from '@bus/websocket/hub'
 *
 * const hub = await createHub({
 *   authenticate: ({ token }) => (isSameSecret(token, process.env['HUB_TOKEN']) ? { id: 'shop' } : null),
 * })
 * await hub.close()
 * ```
 */
export function isSameSecret(presented: string | undefined, expected: string | undefined): boolean {
  if (presented === undefined || presented === '' || expected === undefined || expected === '')
    return false
  // Of equal length, whatever the secrets are.
  return timingSafeEqual(hash(presented), hash(expected))
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
