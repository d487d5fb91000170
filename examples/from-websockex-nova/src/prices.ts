/** The client of the price server, defined once: its platform, and what this application wants of it. */
import { backoff } from '@bus/core'
import {
  createClient,
  definePlatform,
  hmacAuth,
  profiles,
  type ClientDefinition,
  type Handlers,
  type PlatformClientOptions,
} from '@bus/platforms'
import { SECRET } from './price-server.ts'
import { pricesProtocol } from './prices-protocol.ts'

const platform = definePlatform({
  name: 'prices',
  url: 'wss://prices.example/ws',
  protocol: pricesProtocol,
  options: { ...profiles.financial },
})

/** What `use WebsockexNova.ClientMacro, adapter: …` with `default_opts` is elsewhere. */
export function pricesClient(
  print: (line: string) => void,
  secret: string = SECRET,
): ClientDefinition<PlatformClientOptions> {
  const handlers: Handlers = {
    connection: {
      onConnect: ({ reconnected }) => print(reconnected ? 'connected again' : 'connected'),
      onDisconnect: ({ code, reason }) => print(`disconnected: ${code} ${reason}`.trim()),
    },
    error: { onError: ({ kind, error }) => print(`failed: ${kind}: ${error.message}`) },
    subscription: { onRestored: ({ patterns }) => print(`restored: ${patterns.join(', ')}`) },
    auth: hmacAuth({
      key: 'trader',
      secret,
      onState: ({ status }) => print(`credentials: ${status}`),
    }),
  }
  return createClient(platform, {
    handlers,
    // The profile waits 50 ms at first; a demonstration has no time for that.
    reconnect: { backoff: backoff.constant({ delayMs: 10 }) },
  })
}
