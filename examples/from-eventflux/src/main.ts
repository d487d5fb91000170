/** Runs the pipeline between a stand-in for an exchange and one for a dashboard, and prints what arrived. */
import { startMockServer } from '@bus/testing'
import { startExchange } from './exchange.ts'
import { startPipeline } from './pipeline.ts'

await using exchange = await startExchange()
await using dashboard = await startMockServer()
const bad: string[] = []

const pipeline = await startPipeline({
  source: {
    format: 'json',
    'websocket.url': `${exchange.url}stream?streams=btcusdt@trade/ethusdt@trade`,
    'websocket.reconnect.max.attempts': '10',
    'error.strategy': 'dlq',
    'error.dlq.stream': 'BadTrades',
    'error.dlq.fallback-strategy': 'retry',
    'error.dlq.fallback-retry.max-attempts': '3',
  },
  sink: {
    format: 'json',
    'websocket.url': dashboard.url,
    'websocket.message.type': 'text',
    'websocket.headers.Authorization': 'Bearer analytics-token',
  },
  badTrades: (data, reason) => bad.push(`${Buffer.from(data).toString()} (${reason})`),
  // Trades that cannot be read are printed below.
  onError: (error, kind) => void (kind === 'handler' || console.error(error)),
})
await dashboard.waitUntil(() => dashboard.received.length === 2 && bad.length === 1)
await pipeline[Symbol.asyncDispose]()

for (const { text } of dashboard.received) console.log('average', text)
for (const line of bad) console.log('bad trade', line)
