/** What the run and the hub's process say to each other. */
import type { HubOptions } from '@bus/websocket/hub'

/** What differs from a hub with the defaults. */
export type HubSettings = Pick<
  HubOptions,
  'confirm' | 'holdMs' | 'limits' | 'log' | 'sessionTtlMs' | 'heartbeatMs' | 'graceMs' | 'closeMs'
>

/** The run's order. */
export interface ListenOrder {
  readonly kind: 'listen'
  /** 0: any. */
  readonly port: number
  readonly settings: HubSettings
}

/** The hub's answers. */
export type HubNews =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly reason: string }
