/** The states of the memory transport: what they refuse, and how healthy they are. */
import { ClosedError, DrainingError, UnsupportedError, type Outcome } from '../contract/errors.ts'
import type { StateName } from '../contract/status.ts'
import type { Delivery, Health } from '../contract/transport.ts'
import type { QueueStats } from '../queue/queue-stats.ts'

/** Why nothing may be published in this state. */
export function refusalIn(state: StateName): Error | undefined {
  if (state === 'closed') return closedError('not-sent')
  if (state !== 'draining') return undefined
  return new DrainingError('The transport is draining', { outcome: 'not-sent' })
}

/** Why a call that asks for this delivery is refused: a process that ends takes its events along. */
export function beyondPromise(delivery: Delivery | undefined): UnsupportedError | undefined {
  if (delivery !== 'at-least-once') return undefined
  return new UnsupportedError('memory', `delivery ${delivery}`)
}

export function closedError(outcome: Outcome): ClosedError {
  return new ClosedError('The transport is closed', { outcome })
}

/** Up only when ready. */
export function healthIn(state: StateName, queue: QueueStats): Health {
  if (state === 'ready') return Object.freeze({ status: 'up', reasons: [], queue })
  const reason = state === 'idle' ? 'not connected yet' : state
  return Object.freeze({ status: 'down', reasons: Object.freeze([reason]), queue })
}
