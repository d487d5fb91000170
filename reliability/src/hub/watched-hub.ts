/** A watched hub: a hub on a server whose sockets can be cut, counted and measured. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import { createHub, type BusV1Stats, type Hub } from '@bus/websocket/hub'
import { Arrivals } from '../measure/arrivals.ts'
import type { HubSettings } from './orders.ts'
import { ownerOf } from './tokens.ts'

/** Milliseconds between two samples. */
const SAMPLE_MS = 100
/** Milliseconds between two looks at the event loop. */
const RESOLUTION_MS = 10

export interface WatchedHubSettings extends HubSettings {
  /** Every client must present a token that was signed with it. @default anonymous clients are accepted */
  readonly secret?: string
}

/** The hub at one moment. */
interface Sample {
  /** Milliseconds since the watch began. */
  readonly ms: number
  readonly connections: number
  /** Sessions that were resumed since then. */
  readonly resumed: number
}

/** Links that were cut. */
export interface Cut {
  readonly links: number
  /** Milliseconds since the watch began. */
  readonly ms: number
}

/** What was seen since the watch began. */
export interface Watch {
  readonly loopP99Ms: number
  readonly loopMaxMs: number
  /** Connections that were accepted. */
  readonly accepted: number
  readonly peakAcceptsPerSecond: number
  readonly authenticated: number
  readonly peakRssBytes: number
  readonly samples: readonly Sample[]
}

/** What the server and the upgrade handler count, before there is a hub. */
interface Counts {
  authenticated: number
  onAccept: () => void
}

/** What is kept of a watch while it lasts. */
interface Notes {
  readonly startedAt: number
  readonly arrivals: Arrivals
  readonly loop: IntervalHistogram
  readonly timer: NodeJS.Timeout
  readonly resumedBefore: number
  readonly authenticatedBefore: number
  readonly samples: Sample[]
  peakRssBytes: number
}

/** Lives as long as its process. */
export class WatchedHub {
  readonly #server: Server
  readonly #hub: Hub
  readonly #sockets: Set<Socket>
  readonly #counts: Counts
  #notes: Notes | undefined

  private constructor(server: Server, hub: Hub, sockets: Set<Socket>, counts: Counts) {
    this.#server = server
    this.#hub = hub
    this.#sockets = sockets
    this.#counts = counts
    counts.onAccept = () => this.#notes?.arrivals.note(performance.now())
  }

  static async start({ secret, ...settings }: WatchedHubSettings, port = 0): Promise<WatchedHub> {
    const sockets = new Set<Socket>()
    const counts: Counts = { authenticated: 0, onAccept: () => {} }
    const server = createServer()
    server.on('connection', (socket) => {
      counts.onAccept()
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    const authenticate = ({ token }: { readonly token: string | undefined }) => {
      const id = token === undefined ? undefined : ownerOf(secret ?? '', token)
      if (id === undefined) return null
      counts.authenticated++
      return { id }
    }
    const door = secret === undefined ? { allowAnonymous: true } : { authenticate }
    const hub = await createHub({ server, ...door, ...settings })
    server.listen({ port, host: '127.0.0.1', backlog: 4_096 })
    await once(server, 'listening')
    return new WatchedHub(server, hub, sockets, counts)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** What the network does when it fails: every socket is reset, and no session is ended. */
  cut(): Cut {
    const links = this.#sockets.size
    const ms = performance.now() - (this.#notes?.startedAt ?? 0)
    for (const socket of this.#sockets) socket.resetAndDestroy()
    return { links, ms }
  }

  stats(): BusV1Stats {
    return this.#hub.stats().busV1
  }

  /** Begins to watch. */
  watch(): void {
    this.unwatch()
    const startedAt = performance.now()
    const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    loop.enable()
    this.#notes = {
      startedAt,
      arrivals: new Arrivals(startedAt),
      loop,
      timer: setInterval(() => this.#sample(), SAMPLE_MS),
      resumedBefore: this.stats().resumed,
      authenticatedBefore: this.#counts.authenticated,
      samples: [],
      peakRssBytes: process.memoryUsage.rss(),
    }
  }

  /** Ends the watch. @returns what was seen; nothing without {@link watch} */
  unwatch(): Watch | undefined {
    const notes = this.#notes
    if (notes === undefined) return undefined
    this.#sample()
    this.#notes = undefined
    clearInterval(notes.timer)
    notes.loop.disable()
    const { arrivals, loop, samples, peakRssBytes } = notes
    return {
      loopP99Ms: loop.percentile(99) / 1e6,
      loopMaxMs: loop.max / 1e6,
      accepted: arrivals.total,
      peakAcceptsPerSecond: arrivals.peakPerSecond,
      authenticated: this.#counts.authenticated - notes.authenticatedBefore,
      peakRssBytes,
      samples,
    }
  }

  /** Disconnects every client and stops listening. */
  async close(spreadMs = 0): Promise<void> {
    this.unwatch()
    await this.#hub.drain({ spreadMs })
    await this.#hub.close()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #sample(): void {
    const notes = this.#notes
    if (notes === undefined) return
    const { connections, resumed } = this.stats()
    const ms = Math.round(performance.now() - notes.startedAt)
    notes.samples.push({ ms, connections, resumed: resumed - notes.resumedBefore })
    notes.peakRssBytes = Math.max(notes.peakRssBytes, process.memoryUsage.rss())
  }
}
