/** The process of a watched hub. */
import type { BusV1Stats } from '@bus/websocket/hub'
import { takeStock, type Holdings } from '../measure/heap.ts'
import { stall } from '../process/stall.ts'
import { serve } from '../process/serve.ts'
import { WatchedHub, type Cut, type Watch, type WatchedHubSettings } from './watched-hub.ts'

/** What it can be asked. */
export interface WatchedHubDuties {
  /** @returns the port */
  readonly listen: (order: { settings: WatchedHubSettings; port?: number }) => Promise<number>
  readonly cut: () => Cut
  readonly stats: () => BusV1Stats
  readonly watch: () => void
  readonly unwatch: () => Watch | undefined
  readonly close: (order: { spreadMs: number }) => Promise<void>
  /** @returns bytes */
  readonly memory: () => number
  readonly takeStock: () => Promise<Holdings>
  /** Does nothing else for so many milliseconds. */
  readonly stall: (ms: number) => void
  /** Disconnects every client and closes on the signal to end. @returns how many there were */
  readonly closeOnSigterm: (order: { spreadMs: number }) => Promise<number>
  /** Lets go of the run, so that the process ends when nothing else holds it. */
  readonly letGo: () => void
}

function newDuties(letGo: () => void): WatchedHubDuties {
  let hub: WatchedHub | undefined
  const running = (): WatchedHub => {
    if (hub === undefined) throw new Error('The hub does not listen yet')
    return hub
  }
  return {
    listen: async ({ settings, port }) => {
      hub = await WatchedHub.start(settings, port)
      return hub.port
    },
    cut: () => running().cut(),
    stats: () => running().stats(),
    watch: () => running().watch(),
    unwatch: () => running().unwatch(),
    close: ({ spreadMs }) => running().close(spreadMs),
    memory: () => process.memoryUsage.rss(),
    takeStock,
    stall,
    closeOnSigterm: async ({ spreadMs }) => {
      await new Promise((resolve) => process.once('SIGTERM', resolve))
      const { connections } = running().stats()
      await running().close(spreadMs)
      return connections
    },
    letGo,
  }
}

const letGo: () => void = serve(newDuties(() => letGo()))
