/** The gate: finds out who somebody is, with the application's help. */
import type { IncomingMessage } from 'node:http'
import { ANONYMOUS, isPrincipal, type Principal } from './principal.ts'

/** What somebody shows. */
export interface Credentials {
  /** The handshake, for its headers or its client certificate. */
  readonly request: IncomingMessage
  /** What stood behind `Bearer` in the handshake, or came with the first line. */
  readonly token: string | undefined
}

/** Tells who shows these credentials; `null`: nobody that we know. */
export type Authenticate = (
  credentials: Credentials,
) => Principal | null | Promise<Principal | null>

export interface GateOptions {
  readonly authenticate: Authenticate | undefined
  readonly allowAnonymous: boolean
  /** Authentications at the same time, at most. */
  readonly concurrency: number
  /** What `authenticate` threw, or returned that is neither a principal nor `null`. */
  readonly onError: (error: unknown) => void
}

/** Who it is, or why that is not known: the credentials are not good, or could not be looked at. */
export type Admission = Principal | 'unauthorized' | 'unavailable'

/** Lets nobody in by accident: whatever goes wrong is a refusal. */
export class Gate {
  readonly #options: GateOptions
  #underWay = 0

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Whether anybody looks at what is shown. */
  get readsCredentials(): boolean {
    return this.#options.authenticate !== undefined
  }

  async admit(credentials: Credentials): Promise<Admission> {
    const { authenticate, allowAnonymous, concurrency, onError } = this.#options
    const isBare = credentials.token === undefined
    if (authenticate === undefined) return allowAnonymous ? ANONYMOUS : 'unauthorized'
    if (this.#underWay >= concurrency) return 'unavailable'
    this.#underWay++
    try {
      const principal: unknown = await authenticate(credentials)
      // Bad credentials do not make somebody anonymous; none do.
      if (principal === null) return isBare && allowAnonymous ? ANONYMOUS : 'unauthorized'
      if (isPrincipal(principal)) return principal
      onError(new TypeError('Expected `authenticate` to return a principal with an id, or null'))
      return 'unavailable'
    } catch (error) {
      onError(error)
      return 'unavailable'
    } finally {
      this.#underWay--
    }
  }
}
