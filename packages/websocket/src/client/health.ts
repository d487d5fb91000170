/** Health: whether an event published now can be expected to leave, and if not, why. */
import type { BreakerStateName, Health, QueueStats, TransportStatus } from '@bus/core'
import type { Link } from './link.ts'

export interface HealthFacts {
  readonly status: TransportStatus
  readonly link: Link | undefined
  readonly breaker: BreakerStateName | undefined
  readonly queue: QueueStats
  readonly warningThreshold: number
  readonly now: number
}

/** What is known without asking the other side. */
export function healthOf(facts: HealthFacts): Health {
  const { status, link, breaker, queue } = facts
  const reasons: string[] = []
  const heartbeat = link?.heartbeatStats()
  if (status.state !== 'ready') reasons.push(describe(status))
  if (breaker !== undefined && breaker !== 'closed')
    reasons.push(`The circuit breaker is ${breaker}`)
  if (heartbeat !== undefined && heartbeat.missed > 0) {
    reasons.push(`${heartbeat.missed} pings without an answer`)
  }
  if (link?.isHeld === true) reasons.push('Reading is paused: a subscription has no room')
  if (queue.fillRatio >= facts.warningThreshold) {
    reasons.push(`The outbox is ${Math.round(queue.fillRatio * 100)} % full`)
  }
  const isDown = status.state === 'closed' || status.state === 'idle'
  return {
    status: isDown ? 'down' : reasons.length === 0 ? 'up' : 'degraded',
    reasons,
    queue,
    ...(breaker === undefined ? {} : { breaker }),
    ...(heartbeat?.lastInboundAt === undefined
      ? {}
      : { lastInboundAgeMs: facts.now - heartbeat.lastInboundAt }),
    ...(heartbeat?.rttMs === undefined ? {} : { rttMs: heartbeat.rttMs }),
  }
}

function describe(status: TransportStatus): string {
  switch (status.state) {
    case 'idle':
      return 'Not connected yet'
    case 'connecting':
      return `Connecting, attempt ${status.attempt}`
    case 'bootstrapping':
      return 'The connection is being made ready'
    case 'backoff':
      return `Waiting ${Math.round(status.delayMs)} ms before the next attempt: ${status.cause.message}`
    case 'draining':
      return 'Draining'
    case 'closed':
      return status.cause === undefined ? 'Closed' : `Closed: ${status.cause.message}`
    case 'ready':
      return 'Ready'
  }
}
