/** The life of a transport's connection, with the data of each moment. */
import type { BusError } from './errors.ts'

/** Times are of the monotonic clock that the transport was given; `since` is when the state was entered. */
export type TransportStatus =
  | { readonly state: 'idle'; readonly since: number }
  | { readonly state: 'connecting'; readonly since: number; readonly attempt: number }
  | {
      readonly state: 'bootstrapping'
      readonly since: number
      readonly attempt: number
      readonly generation: number
    }
  | {
      readonly state: 'ready'
      readonly since: number
      readonly generation: number
      /** The negotiated subprotocol; empty where there is none. */
      readonly protocol: string
    }
  | {
      readonly state: 'backoff'
      readonly since: number
      /** How many attempts failed in a row. */
      readonly attempt: number
      /** How long this wait is. */
      readonly delayMs: number
      readonly cause: BusError
    }
  | { readonly state: 'draining'; readonly since: number }
  | {
      readonly state: 'closed'
      readonly since: number
      /** Why: `undefined` when `close` or `drain` was called. */
      readonly cause: BusError | undefined
    }

/** The name of a state in the life of a connection. */
export type StateName = TransportStatus['state']
