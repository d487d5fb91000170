/** A client of a run: a bus over the transport as an application would have it, only quicker to come back. */
import { backoff, createBus, type Bus, type ErrorKind, type Random } from '@bus/core'
import { webSocketTransport, type WebSocketTransportOptions } from '@bus/websocket'

/** Milliseconds within which such a client is back, with a margin: the grace of a hub that waits for its subscribers. */
export const COMEBACK_MS = 1_000

/** A link that breaks a thousand times must come back soon, and nothing may be given up for that. */
export function newBus(
  url: string,
  source: string,
  random: Random,
  options: Partial<WebSocketTransportOptions> = {},
): Bus {
  const transport = webSocketTransport({
    url,
    random,
    queue: { capacity: 4_096, strategy: 'block' },
    reconnect: { backoff: backoff.exponential({ initialMs: 2, maxMs: 50 }) },
    ...options,
  })
  return createBus({ transport, source, deadLetters: false, onError })
}

/** Links break on purpose; an error of any other kind is counted as a warning of the run. */
function onError(error: Error, kind: ErrorKind): void {
  if (kind !== 'connection') process.emitWarning(error)
}
