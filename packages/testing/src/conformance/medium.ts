/** The medium: what the transports of a case are connected to, and the faults that it can produce. */
import type { Clock, QueueOptions, Random, Transport } from '@bus/core'

/** The settings of one transport in a case. */
export interface TransportSettings {
  /** Names it in messages; different for each transport of a case. */
  readonly name: string
  /** What waits to be sent. @default that of the transport */
  readonly queue?: QueueOptions | undefined
  /** Random numbers, from the seed of the case. */
  readonly random: Random
  /** @default the clock of the machine */
  readonly clock?: Clock | undefined
}

/** Ends a fault. Idempotent. */
export type EndFault = () => void | Promise<void>

/**
 * The faults of a medium. Each is optional: cases that need one that is missing are reported as not exercised, so a
 * report cannot claim what was not tried. `transport` is always one that {@link Medium.transport} gave.
 */
export interface MediumFaults {
  /** Breaks its connection, as by a TCP reset. Resolves when it is broken; the transport may not know yet. */
  cut?(transport: Transport): Promise<void>
  /** The other side closes its connection with this code. */
  close?(transport: Transport, code: number): Promise<void>
  /** Nothing passes on its connection, in either direction, and neither side is notified: half-open. */
  freeze?(transport: Transport): Promise<EndFault>
  /** Limits the bytes per second towards it. */
  slow?(transport: Transport, bytesPerSecond: number): Promise<EndFault>
  /** New connections are refused, and open ones are broken. */
  refuse?(): Promise<EndFault>
  /** The medium stops abruptly and starts again, without anything that it had stored. */
  wipe?(): Promise<void>
  /**
   * The medium requests that all clients disconnect and come back within so many milliseconds, and starts again; what it had stored may
   * be gone. Resolves when it has started.
   */
  sendAway?(spreadMs: number): Promise<void>
  /** The next event towards it arrives twice. */
  duplicateNext?(transport: Transport): Promise<void>
  /** The next event towards it arrives malformed. */
  corruptNext?(transport: Transport): Promise<void>
  /** What it publishes reaches the medium, but its connection is broken before the confirmation. */
  loseConfirmation?(transport: Transport): Promise<void>
}

/** The name of a way to break the medium. */
export type FaultName = keyof MediumFaults

/** One shared bus for a case. */
export interface Medium {
  /** A new transport on this medium, which belongs to the case. */
  transport(settings: TransportSettings): Transport
  readonly faults?: MediumFaults
  /** Ends it after the case, when every transport is closed. */
  stop(): Promise<void>
}

/** The transport under test, and how the suite runs. */
export interface ConformanceOptions {
  /** The name of the package or variant, for titles and the report. */
  readonly name: string
  /** Makes the medium of one case. */
  readonly medium: () => Promise<Medium>
  /** The same cases over other media, by name: another codec, a pool, links through a proxy. @default none */
  readonly variants?: Readonly<Record<string, () => Promise<Medium>>> | undefined
  /** Only these cases, by id. @default every case */
  readonly only?: readonly string[] | undefined
  /**
   * How much the cases do that repeat something: random schedules, dials that fail, the soak. 1 suits every change, 10 or more
   * a nightly run. @default 1
   */
  readonly effort?: number | undefined
  /** Decides every random choice. @default one drawn at random, given in the report and in each failure */
  readonly seed?: number | undefined
  readonly timing?:
    | {
        /** Milliseconds within which something that must happen happens. @default 2_000 */
        readonly expectMs?: number | undefined
        /** Milliseconds in which nothing more may happen. @default 150 */
        readonly quietMs?: number | undefined
      }
    | undefined
  /** Gets the report of each variant when its last case is done. What it throws fails the suite. @default none */
  readonly onReport?: ((report: ConformanceReport) => void | Promise<void>) | undefined
}

/** How much a case binds: a `MUST` fails, a `SHOULD` warns, `STOCHASTIC` is a `MUST` over random faults. */
export type CaseLevel = 'MUST' | 'SHOULD' | 'MAY' | 'STOCHASTIC'

/** How a case ended, and why it was left out where it was. */
export type CaseOutcome =
  | { readonly status: 'passed'; readonly ms: number }
  | { readonly status: 'failed' | 'warned'; readonly ms: number; readonly error: string }
  | {
      /**
       * `unclaimed`: the transport does not promise it. `not-exercised`: the medium cannot produce the fault. `reserved`: the
       * contract has no such promise.
       */
      readonly status: 'unclaimed' | 'not-exercised' | 'reserved'
      readonly reason: string
    }

/** What the suite found; JSON as it is. */
export interface ConformanceReport {
  readonly name: string
  /** Empty for the medium of the options itself. */
  readonly variant: string
  readonly seed: number
  readonly capabilities: Transport['capabilities']
  /** In the order of the catalogue. */
  readonly cases: readonly ReportedCase[]
}

/** One case and how it ended. */
export type ReportedCase = {
  readonly id: string
  readonly level: CaseLevel
  readonly title: string
} & CaseOutcome
