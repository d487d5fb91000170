/** What the client publishes on `node:diagnostics_channel`; each costs one read while nobody listens. */
import { telemetry, type TransportEvents } from '@bus/core'
import type { Connection } from './connection.ts'

const transport = 'websocket'

/** A change of status, and the wait before the next attempt if that is what it is. */
export function tellStatus(change: TransportEvents['status']): void {
  const statuses = telemetry.channel('bus.status')
  if (statuses.hasSubscribers) statuses.publish({ transport, ...change })
  const { status } = change
  const reconnects = telemetry.channel('bus.reconnect')
  if (status.state !== 'backoff' || !reconnects.hasSubscribers) return
  const { attempt, delayMs, cause } = status
  reconnects.publish({ transport, attempt, delayMs, cause })
}

/** A change of the circuit breaker. */
export function tellBreaker(change: TransportEvents['breaker']): void {
  const breakers = telemetry.channel('bus.breaker')
  if (breakers.hasSubscribers) breakers.publish({ transport, ...change })
}

/** Traces one attempt to make a connection. */
export function traceDial(attempt: number, dial: () => Promise<Connection>): Promise<Connection> {
  const operation = telemetry.operation('bus.connect')
  return operation.isTraced ? operation.trace(dial, { transport, attempt }) : dial()
}
