/** The gate: finds out who somebody is, with the application's help, a few at a time. */
import type { IncomingMessage } from 'node:http'
import { withDeadline, type Clock } from '@bus/core'
import { Fifo } from '../fifo.ts'
import { ANONYMOUS, hasExpired, isPrincipal, type Principal } from './principal.ts'

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

export interface GateOptions {
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
export type Shown = Omit<Credentials, 'signal'>

/** Who it is, or why that is not known: the credentials are not good, or could not be looked at. */
export type Admission = Principal | 'unauthorized' | 'unavailable'

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
export class Gate {
  readonly #options: GateOptions
  /** Bounded by the connections: each waits once. */
  readonly #line = new Fifo<Waiting>()
  #underWay = 0

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Whether anybody looks at what is shown. */
  get readsCredentials(): boolean {
    return this.#options.authenticate !== undefined
  }

  /** @param isGone - whether whoever shows this has left */
  async admit(shown: Shown, isGone: () => boolean = () => false): Promise<Admission> {
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
    shown: Shown,
    isGone: () => boolean,
    signal: AbortSignal,
  ): Promise<Admission> {
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

  #judge(principal: unknown, { token }: Shown): Admission {
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
    await new Promise<void>((enter) => this.#line.push({ isOver, enter }))
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
