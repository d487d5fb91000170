/** Identifying: finds out who a peer is, and closes the one of whom that cannot be said. */
import type { Counters } from '../counters.ts'
import type { Admission, Gate } from '../admission/gate.ts'
import type { Peer } from './peer.ts'
import { ANONYMOUS, type Principal } from '../admission/principal.ts'

export interface IdentifyingOptions {
  readonly gate: Gate
  readonly counters: Counters
  readonly onError: (error: unknown) => void
}

/** One authentication at a time for each peer. */
export class Identifying {
  readonly #options: IdentifyingOptions
  /** Peers that renew, with the token that came last meanwhile: those before it count for nothing any more. */
  readonly #renewing = new Map<Peer, string | undefined>()

  constructor(options: IdentifyingOptions) {
    this.#options = options
  }

  /** @param then - called unless the peer was closed for it, or is gone meanwhile */
  identify(peer: Peer, token: string | undefined, then: (principal: Principal) => void): void {
    void this.#settle(peer, token, then)
  }

  /** The same for fresh credentials. */
  renew(peer: Peer, token: string, then: (principal: Principal) => void): void {
    const isUnderWay = this.#renewing.has(peer)
    this.#renewing.set(peer, isUnderWay ? token : undefined)
    if (!isUnderWay) void this.#renewUntilLast(peer, token, then)
  }

  async #renewUntilLast(
    peer: Peer,
    token: string,
    then: (principal: Principal) => void,
  ): Promise<void> {
    let next: string | undefined = token
    while (next !== undefined) {
      await this.#settle(peer, next, then)
      next = peer.isOver ? undefined : this.#renewing.get(peer)
      this.#renewing.set(peer, undefined)
    }
    this.#renewing.delete(peer)
  }

  async #settle(
    peer: Peer,
    token: string | undefined,
    then: (principal: Principal) => void,
  ): Promise<void> {
    const { gate, counters, onError } = this.#options
    try {
      const admission = await this.#admissionOf(peer, token, gate)
      if (peer.isOver) return
      if (admission === 'unauthorized') {
        counters.unauthorized++
        peer.close(4401, 'unauthorized')
      } else if (admission === 'unavailable') peer.close(4503, 'authentication')
      else then(admission)
    } catch (error) {
      onError(error)
      peer.close(1011, '')
    }
  }

  #admissionOf(peer: Peer, token: string | undefined, gate: Gate): Admission | Promise<Admission> {
    const { request } = peer
    // Let go of: nobody looks at it, and whoever was let in once is no less anonymous now.
    if (request === undefined) return ANONYMOUS
    return gate.admit({ request, token }, () => peer.isOver)
  }
}
