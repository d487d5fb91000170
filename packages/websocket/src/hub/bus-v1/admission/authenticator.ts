/** The gate: finds out who somebody is, with the application's help, a few at a time. */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '@bus/core'
import { withDeadline } from '@bus/core/kit'
import Denque from 'denque'

/** What somebody shows. */
export interface Credentials {
  /** The handshake, for its headers or its client certificate. */
  readonly request: IncomingMessage
  /** What stood behind `Bearer` in the handshake, or came with the first line. */
  readonly token: string | undefined
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** Tells who shows these credentials; `null`: nobody that we know. */
export type Authenticate = (
  credentials: Credentials,
) => Principal | null | Promise<Principal | null>

export interface AuthenticatorOptions {
  readonly authenticate: Authenticate | undefined
  readonly allowAnonymous: boolean
  /** Authentications at the same time, at most; the others wait their turn. */
  readonly concurrency: number
  /** Milliseconds for waiting and authentication together. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** What `authenticate` threw, or returned that is neither a principal nor `null`. */
  readonly onError: (error: unknown) => void
}

/** What the gate is shown. */
export type PresentedCredentials = Omit<Credentials, 'signal'>

/** Who it is, or why that is not known: the credentials are not good, or could not be looked at. */
export type AuthenticationResult = Principal | 'unauthorized' | 'unavailable'

/** Somebody whose turn has not come. */
interface Waiting {
  /** It has left, or its time is over: asking who it is would be in vain. */
  readonly isOver: () => boolean
  readonly enter: () => void
}

/**
 * Lets nobody in by accident: whatever goes wrong is a refusal. Who comes while as many authentications run as may, waits;
 * an authentication that does not end in time gives its turn to the next.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  /** Bounded by the connections: each waits once. */
  readonly #line = new Denque<Waiting>()
  #underWay = 0

  constructor(options: AuthenticatorOptions) {
    this.#options = options
  }

  /** Whether anybody looks at what is shown. */
  get readsCredentials(): boolean {
    return this.#options.authenticate !== undefined
  }

  /** @param isGone - whether whoever shows this has left */
  async authenticate(
    shown: PresentedCredentials,
    isGone: () => boolean = () => false,
  ): Promise<AuthenticationResult> {
    const { authenticate, allowAnonymous, timeoutMs, clock } = this.#options
    if (authenticate === undefined) return allowAnonymous ? ANONYMOUS : 'unauthorized'
    const started = withDeadline((signal) => this.#inTurn(authenticate, shown, isGone, signal), {
      timeoutMs,
      clock,
      what: 'Authentication',
    })
    // Nothing but the deadline: what is thrown within was told.
    return await started.catch(() => 'unavailable' as const)
  }

  async #inTurn(
    authenticate: Authenticate,
    shown: PresentedCredentials,
    isGone: () => boolean,
    signal: AbortSignal,
  ): Promise<AuthenticationResult> {
    await this.#turn(() => signal.aborted || isGone())
    let hasLeft = false
    const leave = (): void => {
      signal.removeEventListener('abort', leave)
      if (!hasLeft) this.#leave()
      hasLeft = true
    }
    signal.addEventListener('abort', leave, { once: true })
    try {
      return this.#judge(await authenticate({ ...shown, signal }), shown)
    } catch (error) {
      this.#options.onError(error)
      return 'unavailable'
    } finally {
      leave()
    }
  }

  #judge(principal: unknown, { token }: PresentedCredentials): AuthenticationResult {
    // Bad credentials do not make somebody anonymous; none do.
    if (principal === null) {
      return token === undefined && this.#options.allowAnonymous ? ANONYMOUS : 'unauthorized'
    }
    if (isPrincipal(principal)) return hasExpired(principal) ? 'unauthorized' : principal
    throw new TypeError('Expected `authenticate` to return a principal with an id, or null')
  }

  /** Resolves when this one's turn has come; never for one that is over by then, whose deadline ends the wait. */
  async #turn(isOver: () => boolean): Promise<void> {
    if (this.#underWay < this.#options.concurrency) {
      this.#underWay++
      return
    }
    await new Promise<void>((enter) => void this.#line.push({ isOver, enter }))
  }

  /** Gives the turn to the next who is still there. */
  #leave(): void {
    for (let next = this.#line.shift(); next !== undefined; next = this.#line.shift()) {
      if (next.isOver()) continue
      next.enter()
      return
    }
    this.#underWay--
  }
}

/** Types whose answers are remembered. */
const MAX_TYPES = 1_024

/** Of one principal; a principal that changes gets a new one. */
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
    const grants = this.#principal.grants?.[action]
    if (grants !== undefined && !grants.some((grant) => covers(grant, pattern))) return false
    if (this.#authorize === undefined) return true
    try {
      return this.#authorize(this.#principal, action, pattern)
    } catch (error) {
      this.#onError(error)
      return false
    }
  }
}

/** Patterns that somebody may publish to and subscribe to. */
export interface Grants {
  /** Absent: every type. */
  readonly publish?: readonly string[]
  /** Absent: every pattern. A pattern is granted when one of these covers it whole. */
  readonly subscribe?: readonly string[]
}

/** Somebody that the hub knows. */
export interface Principal {
  /** A session belongs to the id that began it. */
  readonly id: string
  /** @default everything is granted */
  readonly grants?: Grants
  /** When the credentials end: wall clock, milliseconds since 1970. @default never */
  readonly expiresAt?: number
}

/** What somebody wants to do with a pattern. */
export type Action = 'publish' | 'subscribe'

/** Decides beyond the grants whether a principal may do something. A type is asked for as a pattern. */
export type Authorize = (principal: Principal, action: Action, pattern: string) => boolean

/** Everybody without credentials, where that is allowed. */
export const ANONYMOUS: Principal = Object.freeze({ id: 'anonymous' })

/** The name under which the connections of a principal are counted together; the anonymous ones are no principal. */
export function countedName(principal: Principal): string | undefined {
  return principal === ANONYMOUS ? undefined : principal.id
}

/** Milliseconds that expired credentials still do, for clocks that differ. */
export const EXPIRY_GRACE_MS = 30_000

/** Whether the credentials of somebody are over, and not only just. */
function hasExpired({ expiresAt = Infinity }: Principal): boolean {
  return expiresAt + EXPIRY_GRACE_MS <= Date.now()
}

/** Whether a value that an application returned is a principal. */
function isPrincipal(value: unknown): value is Principal {
  if (typeof value !== 'object' || value === null) return false
  const { id, expiresAt } = value as Partial<Principal>
  return (
    typeof id === 'string' &&
    id !== '' &&
    (expiresAt === undefined || (typeof expiresAt === 'number' && !Number.isNaN(expiresAt)))
  )
}

/** Both are patterns of the grammar. A type is a pattern that matches itself. */
export function covers(grant: string, pattern: string): boolean {
  const granted = grant.split('.')
  const asked = pattern.split('.')
  for (const [i, token] of asked.entries()) {
    const rule = granted[i]
    if (rule === '>') return true
    if (rule === undefined || token === '>') return false
    if (rule !== '*' && rule !== token) return false
  }
  return granted.length === asked.length
}

/**
 * Whether somebody has shown the secret that is expected, for instance in `authenticate`. Nothing is as good as no secret:
 * neither an absent nor an empty one is ever the same.
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
export function isSameSecret(shown: string | undefined, expected: string | undefined): boolean {
  if (shown === undefined || shown === '' || expected === undefined || expected === '') return false
  // Of equal length, whatever the secrets are.
  return timingSafeEqual(hash(shown), hash(expected))
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
