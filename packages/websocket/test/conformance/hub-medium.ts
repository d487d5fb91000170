/** A hub as the medium of the conformance suite; every link to it leads through a chaos proxy and a relay that edits frames. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Transport } from '@bus/core'
import { startChaosProxy, type NetworkConditions } from '@bus/testing/chaos'
import type { Medium, TransportSettings } from '@bus/testing/conformance'
import { createHub, type Hub, type HubOptions } from '../../src/hub/index.ts'
import type { Dialect } from './dialect.ts'
import { startEditingRelay } from './editing-relay.ts'
import { FrameEdits } from './frame-edits.ts'
import { hubFaults } from './hub-faults.ts'
import { NamedLinks } from './named-links.ts'

/** What distinguishes one medium from another. */
export interface HubMediumOptions {
  readonly dialect: Dialect
  /** A transport whose links go to the URLs that `nextUrl` gives: one for each connection that it keeps at a time. */
  readonly transport: (settings: TransportSettings, nextUrl: () => string) => Transport
  /** Whether every link that the transport will have is there. @default its status is ready */
  readonly isWhole?: (transport: Transport) => boolean
  readonly hub?: Partial<HubOptions>
  /** Over every link. @default fair */
  readonly network?: NetworkConditions
}

/** What the faults reach into. */
export interface HubWorld {
  readonly hub: Hub
  /** The edits of each connection of the transport. */
  editsOf(transport: Transport): readonly FrameEdits[]
  /** The paths that the links of the transport ask for. */
  pathsOf(transport: Transport): ReadonlySet<string>
  /** Resolves when the transport has every link that it will have, or when it takes long: it may have none. */
  whole(transport: Transport): Promise<void>
  /** Another hub takes the place of the one that was closed. */
  restartHub(): Promise<void>
}

/** A window that a case reaches, and subscriptions for the case that has hundreds. */
const LIMITS = { window: { events: 256 }, subscriptionsPerConnection: 600 }

/** Starts a hub with everything in front of it. */
export async function hubMedium(options: HubMediumOptions): Promise<Medium> {
  const startHub = (port: number): Promise<Hub> =>
    createHub({ allowAnonymous: true, closeMs: 500, port, limits: LIMITS, ...options.hub })
  let hub = await startHub(0)
  const { port } = hub
  const edits = new Map<string, FrameEdits>()
  const paths = new Map<Transport, Set<string>>()
  const links = new NamedLinks()
  const relay = await startEditingRelay(port, options.dialect, (path) => {
    const own = edits.get(path)
    if (own === undefined) throw new Error(`No transport of this medium asks for ${path}`)
    return own
  })
  const proxy = await startChaosProxy({ targetPort: relay.port, ...links.watch })
  if (options.network !== undefined) proxy.setConditions(options.network)
  const world: HubWorld = {
    get hub() {
      return hub
    },
    pathsOf: (transport) => paths.get(transport) ?? new Set(),
    editsOf: (transport) => [...world.pathsOf(transport)].flatMap((path) => edits.get(path) ?? []),
    async whole(transport) {
      const { isWhole = ({ status }) => status.state === 'ready' } = options
      for (let looks = 0; looks < 100 && !isWhole(transport); looks++) await sleep(2)
    },
    async restartHub() {
      hub = await startHub(port)
    },
  }
  return {
    transport(settings) {
      const own = new Set<string>()
      const nextUrl = (): string => {
        const path = `/${edits.size}`
        edits.set(path, new FrameEdits())
        own.add(path)
        return `ws://127.0.0.1:${proxy.port}${path}`
      }
      const transport = options.transport(settings, nextUrl)
      paths.set(transport, own)
      return transport
    },
    faults: hubFaults(world, { proxy, links, confirms: options.dialect.confirms('ok 1') }),
    async stop() {
      await proxy.close()
      await hub.close()
      await relay[Symbol.asyncDispose]()
    },
  }
}
