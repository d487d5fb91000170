/** The intake: whether an event may be published now, and if not, why. */
import {
  CircuitOpenError,
  ClosedError,
  DetachedError,
  DisconnectedError,
  DrainingError,
  type BreakerStateName,
  type BusError,
  type TransportStatus,
} from '@bus/core'

/** What the intake looks at. */
export interface IntakeFacts {
  readonly status: () => TransportStatus
  readonly breaker: () => BreakerStateName | undefined
  readonly whenDisconnected: 'queue' | 'reject'
}

/** Open, then perhaps draining, then closed for good. */
export class Intake {
  readonly #facts: IntakeFacts
  #state: 'open' | 'draining' | 'closed' = 'open'

  constructor(facts: IntakeFacts) {
    this.#facts = facts
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Nothing new is taken; what was taken still goes. */
  drain(): void {
    if (this.isOpen) this.#state = 'draining'
  }

  close(): void {
    this.#state = 'closed'
  }

  /** Why nothing can be done any more, `undefined` while the transport lives on. */
  ended(): BusError | undefined {
    if (this.#state === 'closed') return this.closedError()
    if (this.#state === 'open') return undefined
    return new DrainingError('The transport is draining', { outcome: 'not-sent' })
  }

  /** Why nothing can be published now. */
  refusal(): BusError | undefined {
    const ended = this.ended()
    const { status, breaker, whenDisconnected } = this.#facts
    if (ended !== undefined || whenDisconnected === 'queue') return ended
    if (status().state === 'ready') return undefined
    if (breaker() === 'open') {
      return new CircuitOpenError('The circuit breaker is open', { outcome: 'not-sent' })
    }
    return new DisconnectedError('There is no link', { outcome: 'not-sent' })
  }

  /** @param cause - why it closes now; otherwise why it has closed */
  closedError(cause?: BusError): ClosedError | DetachedError {
    const status = this.#facts.status()
    const why = cause ?? (status.state === 'closed' ? status.cause : undefined)
    if (why instanceof DetachedError) return why
    const options = { outcome: 'not-sent' as const, ...(why === undefined ? {} : { cause: why }) }
    return new ClosedError('The transport is closed', options)
  }
}
