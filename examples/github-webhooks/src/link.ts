/** The transport of publisher and subscribers: quick to come back. */
import { backoff } from '@bus/core'
import { webSocketTransport, type WebSocketTransport } from '@bus/websocket'

/** A link to the hub that retries soon and never gives up. */
export function linkTo(url: string): WebSocketTransport {
  return webSocketTransport({
    url,
    queue: { capacity: 1_000, strategy: 'block' },
    reconnect: { backoff: backoff.exponential({ initialMs: 50, maxMs: 100 }) },
  })
}
