/** The consumer: trades in batches, at the pace of a slow sink, over a link that breaks. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBus, type Event } from '@bus/core'
import { webSocketTransport, type ReconnectBackoff, type WebSocketTransport } from '@bus/websocket'
import { TradeFeed } from './trade-feed.ts'
import { tradeProtocol, type Trade } from './trades.ts'

/** What `ws_retry_opts` holds. */
interface Retry {
  readonly left: number
  readonly delayMs: number
  readonly factor: number
}

const FIRST: Retry = { left: 5, delayMs: 1, factor: 2 }

/** What `ws_retry_fun` does: waits longer each time, and stops when no tries are left. */
function retrying(print: (line: string) => void): ReconnectBackoff {
  let state = FIRST
  return (attempt) => {
    // The first attempt after a connection that lasted.
    if (attempt === 1) state = FIRST
    const { left, delayMs, factor } = state
    if (left === 0) return 'stop'
    print(`lost: ${left} tries left, the next in ${delayMs} ms`)
    state = { ...state, left: left - 1, delayMs: delayMs * factor }
    return delayMs
  }
}

function transportTo(url: string, print: (line: string) => void): WebSocketTransport {
  return webSocketTransport({
    url,
    protocol: tradeProtocol(),
    onOpen: () => ['subscribe trades'],
    timeouts: { connectMs: 8_000 },
    heartbeat: { intervalMs: 10_000, timeoutMs: 5_000 },
    idleTimeoutMs: 15_000,
    telemetry: { prefix: 'trades' },
    reconnect: { backoff: retrying(print) },
  })
}

/** Groups of `size`. */
function batchesOf(size: number) {
  return async function* (events: AsyncIterable<Event<Trade>>): AsyncGenerator<Trade[]> {
    let batch: Trade[] = []
    for await (const { payload } of events) {
      if (batch.push(payload) < size) continue
      yield batch
      batch = []
    }
  }
}

async function untilPaused(transport: WebSocketTransport): Promise<void> {
  for (;;) {
    const { reasons } = await transport.health()
    if (reasons.some((reason) => reason.startsWith('Reading is paused'))) return
    await sleep(2)
  }
}

/** Consumes a hundred trades in batches of twenty. */
export async function run(print: (line: string) => void): Promise<void> {
  const gauge = (message: unknown): void =>
    print(`trades.connection.up: ${(message as { readonly value: number }).value}`)
  subscribe('trades.connection.up', gauge)
  try {
    await using feed = await TradeFeed.start()
    const transport = transportTo(feed.url, print)
    await using bus = createBus({ transport })
    // At most 20 wait here; when 5 are left, the socket is read again.
    const trades = bus.toReadable('trade', { highWaterMark: 20, lowWaterMark: 5 })
    await bus.connect()
    feed.tradeUntil(60)
    await pipeline(trades, batchesOf(20), async (batches: AsyncIterable<Trade[]>) => {
      for await (const batch of batches) {
        const [first, last] = [batch[0]?.n, batch.at(-1)?.n]
        print(`trades ${first} to ${last}`)
        if (first === 1) {
          await untilPaused(transport)
          print('the sink is slow, and the socket is not read')
        }
        if (last === 60) {
          feed.stumble()
          feed.tradeUntil(100)
        }
        if (last === 100) return
      }
    })
  } finally {
    unsubscribe('trades.connection.up', gauge)
  }
}
