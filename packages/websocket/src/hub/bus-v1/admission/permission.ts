/** What one connection may do, remembered for each type that it publishes. */
import { covers } from './covers.ts'
import type { Action, Authorize, Principal } from './principal.ts'

/** Types whose answers are remembered. */
const MAX_TYPES = 1_024

/** Of one principal; a principal that changes gets a new one. */
export class Permission {
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
