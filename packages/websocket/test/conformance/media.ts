/** The media of the conformance suite: the two wires, the bus.v1 wire under network faults, and a pool over it. */
import { backoff } from '@bus/core'
import { transportPool, type TransportPool } from '@bus/compose'
import type { Medium, TransportSettings } from '@bus/testing/conformance'
import { plainJson, type Protocol } from '../../src/protocol/index.ts'
import { busV1, webSocketTransport, type WebSocketTransport } from '../../src/index.ts'
import { busV1Dialect, plainDialect } from './dialect.ts'
import { hubMedium, type HubMediumOptions } from './hub-medium.ts'

/** Quick, so that a case is soon over, and spread, as the defaults are. */
const QUICK = backoff.exponential({ initialMs: 20, maxMs: 100, jitter: 'full' })

function client(
  { queue, random, clock }: TransportSettings,
  url: string,
  protocol: Protocol,
): WebSocketTransport {
  return webSocketTransport({
    url,
    protocol,
    random,
    reconnect: { backoff: QUICK },
    breaker: { openMs: 1 },
    ...(queue === undefined ? {} : { queue }),
    ...(clock === undefined ? {} : { clock }),
  })
}

const BUS_V1: Pick<HubMediumOptions, 'dialect' | 'transport'> = {
  dialect: busV1Dialect,
  transport: (settings, nextUrl) => client(settings, nextUrl(), busV1({ fallback: false })),
}

/** At most once, without acknowledgements. */
export const plainJsonMedium = (): Promise<Medium> =>
  hubMedium({
    dialect: plainDialect,
    transport: (settings, nextUrl) => client(settings, nextUrl(), plainJson()),
  })

/** At least once, confirmed and resumed. */
export const busV1Medium = (): Promise<Medium> => hubMedium(BUS_V1)

/** The same where everything is late, in small pieces and at odd moments. */
export const faultyMedium = (): Promise<Medium> =>
  hubMedium({ ...BUS_V1, network: { delayMs: 1, jitterMs: 3, sliceBytes: 2_000 } })

/** The same with a log that forgets soon what nobody acknowledges. */
export const shortLogMedium = (): Promise<Medium> =>
  hubMedium({ ...BUS_V1, hub: { log: { maxEvents: 50 }, holdMs: 30 } })

/** Two connections as one transport. */
export const poolMedium = (): Promise<Medium> =>
  hubMedium({
    dialect: busV1Dialect,
    isWhole: (transport) => (transport as TransportPool).scores().every(({ score }) => score > 0),
    transport: (settings, nextUrl) =>
      transportPool({
        transports: [BUS_V1.transport(settings, nextUrl), BUS_V1.transport(settings, nextUrl)],
      }),
  })
