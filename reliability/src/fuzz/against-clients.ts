/** Fuzzes clients: hostile servers talk to a few of them at once, on either wire. */
import type { FuzzTally } from './tally.ts'
import { FuzzedClient } from './fuzzed-client.ts'
import type { ServerWire } from './server-input.ts'

/** Clients at once, for each wire. */
const CLIENTS = 4

/** Inputs that a client gets before it is asked. */
const BATCH = 32

export interface AgainstClientsOptions {
  readonly seed: number
  /** Inputs for both wires together. */
  readonly inputs: number
  readonly tally: FuzzTally
  /** Inputs between two probes. */
  readonly every: number
  /** Where an honest hub is. */
  readonly honestPort: number
  /** Publishes `probe.client` there. */
  readonly publish: () => void
}

/** The result, besides the tally. */
export interface AgainstClientsResult {
  readonly probes: number
  readonly served: number
  readonly handled: number
  /** Clients that ended for good, by why. */
  readonly replaced: Readonly<Record<string, number>>
}

/** Resolves when every input was sent. */
export async function fuzzClients(options: AgainstClientsOptions): Promise<AgainstClientsResult> {
  const { seed, inputs, tally, every, honestPort, publish } = options
  const wires: readonly ServerWire[] = ['plain', 'bus']
  const next = { plain: 0, bus: 0 }
  const clients = await Promise.all(
    wires.flatMap((wire) =>
      Array.from({ length: CLIENTS }, async () => ({
        wire,
        client: await FuzzedClient.start(wire, tally),
      })),
    ),
  )
  let probes = 0
  let served = 0
  try {
    for (let done = 0; done < inputs; done += every) {
      const end = Math.min(inputs, done + every) / wires.length
      const work = async ({ wire, client }: (typeof clients)[number]): Promise<void> => {
        while (next[wire] < end) {
          const from = next[wire]
          next[wire] = Math.min(end, from + BATCH)
          await client.try(seed, range(from, next[wire]))
        }
      }
      await Promise.all(clients.map(work))
      const isServed = await Promise.all(
        clients.map(({ client }) => client.isServed(honestPort, publish)),
      )
      probes += isServed.length
      served += isServed.filter(Boolean).length
    }
  } finally {
    tally.links += clients.reduce((sum, { client }) => sum + client.links, 0)
    await Promise.all(clients.map(({ client }) => client[Symbol.asyncDispose]()))
  }
  const replaced: Record<string, number> = {}
  for (const { client } of clients) {
    for (const [why, n] of Object.entries(client.replaced)) replaced[why] = (replaced[why] ?? 0) + n
  }
  const handled = clients.reduce((sum, { client }) => sum + client.handled, 0)
  return { probes, served, handled, replaced }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
