/** The tools of an exchange: what stands around it, and what is replaced in a simulation. */
import type { Clock, Random } from '@bus/core'
import type { Metering } from '../metering.ts'
import type { ResolvedBusV1Options } from './options.ts'

/** The options of the hub that an exchange needs. */
export interface ExchangeOptions extends ResolvedBusV1Options {
  /** The largest message in bytes. The sockets see to it; here it is only announced. */
  readonly maxMessageBytes: number
}

/** What is replaced in a simulation. */
export interface ExchangeTools {
  readonly clock?: Clock
  readonly random?: Random
  /** A name that nobody can guess. @default 128 random bits */
  readonly newId?: () => string
  /** An event of a peer entered the log. @returns whether it waits for the backend. @default nobody cares */
  readonly onPublished?: (offset: number) => boolean
  /** The last offset that needs no backend any more. @default there is no backend */
  readonly sharedUpTo?: () => number
  /** Counts what connections send. @default one of its own */
  readonly metering?: Metering
  /** Something else that has to be looked after from time to time. @default nothing */
  readonly onChores?: (now: number) => void
  /** Whether an event that a client publishes has been here before. @default never */
  readonly isEcho?: (type: string, id: string, body: Buffer) => boolean
  /** Whether somebody outside has no room, so that nothing is accepted. @default never */
  readonly isBlocked?: () => boolean
}
