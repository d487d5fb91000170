/** What the run and the hub's process say to each other. */

/** What differs from a hub as everybody starts it. */
export interface HubSettings {
  readonly confirm?: 'hub' | 'subscribers'
  readonly holdMs?: number
  readonly limits?: { readonly window: { readonly events: number } }
  readonly log?: { readonly maxEvents: number }
}

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
