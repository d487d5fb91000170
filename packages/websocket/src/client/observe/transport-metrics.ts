/** The inner state of a transport, gathered from its rooms. */
import type { TransportMetrics } from '@bus/core'
import type { HeartbeatStats } from '../../socket/heartbeat.ts'
import type { OpossumBreaker } from '../reconnect/breaker.ts'
import type { Lifecycle } from '../reconnect/lifecycle.ts'
import type { Link } from '../link/link.ts'
import type { Observation } from './observation.ts'
import type { Registry } from '../subscriptions/registry.ts'
import { statsOf, type StatsSources } from './stats.ts'

/** Where the figures come from. */
export interface MetricsSources extends StatsSources {
  readonly lifecycle: Lifecycle
  readonly observation: Observation
  readonly breaker: OpossumBreaker | undefined
  readonly reconnector: { readonly link: Link | undefined }
  readonly registry: Registry
}

/**
 * A picture of one moment; nothing in it changes any more.
 *
 * @param now - of the transport's monotonic clock
 */
export function transportMetrics(rooms: MetricsSources, now: number): TransportMetrics {
  const { observation, outbox, breaker, registry } = rooms
  const { link } = rooms.reconnector
  const stats = statsOf(rooms)
  const { uptimeMs, failures } = observation.trace.read(now)
  const over = observation.traffic.bytes
  const open = link?.connection.bytes ?? { sent: 0, received: 0 }
  return Object.freeze({
    transport: 'websocket',
    id: observation.id,
    state: rooms.lifecycle.state,
    uptimeMs,
    queue: outbox.stats(),
    unconfirmed: outbox.underWay,
    ...(breaker === undefined ? {} : { breaker: breaker.stats() }),
    ...(link === undefined ? {} : { heartbeat: heartbeatOf(link.heartbeatStats(), now) }),
    roundTrip: observation.roundTrips.summary(),
    subscriptions: { count: registry.size, patterns: registry.patterns(), held: registry.held },
    links: {
      made: rooms.linksMade,
      reconnects: stats.reconnects,
      failures,
      isPaused: link?.isPaused ?? false,
      awaited: link?.awaited ?? 0,
    },
    events: { sent: stats.sent, resent: stats.resent, received: stats.received },
    bytes: {
      sent: over.sent + open.sent,
      received: over.received + open.received,
      buffered: link?.connection.bufferedAmount ?? 0,
    },
  })
}

function heartbeatOf(
  { missed, lastInboundAt, lastPongAt }: HeartbeatStats,
  now: number,
): NonNullable<TransportMetrics['heartbeat']> {
  return {
    missed,
    ...(lastInboundAt === undefined ? {} : { lastInboundAgeMs: now - lastInboundAt }),
    ...(lastPongAt === undefined ? {} : { lastPongAgeMs: now - lastPongAt }),
  }
}
