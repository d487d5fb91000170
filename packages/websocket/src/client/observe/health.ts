/** Health: whether an event published now can be expected to leave, and if not, why. */
import type { Health, HealthOptions, TransportStatus } from '@bus/core'
import type { Lifecycle } from '../reconnect/lifecycle.ts'
import type { Link } from '../link/link.ts'
import type { OpossumBreaker } from '../reconnect/breaker.ts'
import type { ResolvedOptions } from '../options/options.ts'
import type { Outbox } from '../outbox/outbox.ts'

/** Where the facts come from. */
interface HealthSources {
  readonly lifecycle: Lifecycle
  readonly reconnector: { readonly link: Link | undefined }
  readonly breaker: OpossumBreaker | undefined
  readonly outbox: Outbox
}

type Settings = Pick<ResolvedOptions, 'queue' | 'clock'>

/** What is known, after asking the other side if that is wanted and there is a link. */
export async function health(
  rooms: HealthSources,
  settings: Settings,
  options: HealthOptions,
): Promise<Health> {
  const { link } = rooms.reconnector
  if (options.probe !== true || link === undefined) return known(rooms, settings)
  const { timeoutMs = 5_000, signal } = options
  try {
    await link.probe(signal === undefined ? { timeoutMs } : { timeoutMs, signal })
    return known(rooms, settings)
  } catch (error) {
    if (signal?.aborted === true) throw error
    const { status, reasons, ...rest } = known(rooms, settings)
    const judged = status === 'down' ? 'down' : 'degraded'
    return { ...rest, status: judged, reasons: [...reasons, 'The probe was not answered'] }
  }
}

/** What is known without asking the other side. */
function known(rooms: HealthSources, settings: Settings): Health {
  const { link } = rooms.reconnector
  const { status } = rooms.lifecycle
  const breaker = rooms.breaker?.state
  const queue = rooms.outbox.stats()
  const reasons: string[] = []
  const heartbeat = link?.heartbeatStats()
  if (status.state !== 'ready') reasons.push(describe(status))
  if (breaker !== undefined && breaker !== 'closed')
    reasons.push(`The circuit breaker is ${breaker}`)
  if (heartbeat !== undefined && heartbeat.missed > 0) {
    reasons.push(`${heartbeat.missed} pings without an answer`)
  }
  if (link?.isHeld === true) reasons.push('Reading is paused: a subscription has no room')
  if (queue.fillRatio >= settings.queue.warningThreshold) {
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
      : { lastInboundAgeMs: settings.clock.now() - heartbeat.lastInboundAt }),
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
