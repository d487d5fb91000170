/** What a run and the process with the injected links say to each other. */
import type { LoopFigures } from '../report/loop-watch.ts'

/** What the process is to do. */
export interface FuzzOrder {
  readonly seed: number
  /** The first input. */
  readonly from: number
  /** Inputs; each is sent twice, whole and in two pieces. */
  readonly inputs: number
  /** Inputs between two probes. */
  readonly every: number
}

/** An input that something went wrong at. */
export interface FuzzFailure {
  readonly index: number
  readonly what: string
  /** The bytes in base64, the first of them. */
  readonly bytes: string
}

/** What was counted. */
export interface FuzzFigures {
  readonly inputs: number
  readonly sends: number
  readonly bytes: number
  readonly kinds: Readonly<Record<string, number>>
  /** How links ended. */
  readonly ends: Readonly<Record<string, number>>
  readonly links: number
  readonly failures: readonly FuzzFailure[]
}

/** What the process tells. */
export type FuzzNews =
  | { readonly kind: 'listening'; readonly port: number }
  /** It waits for `go` before it goes on. */
  | { readonly kind: 'pause'; readonly inputs: number }
  | {
      readonly kind: 'done'
      readonly figures: FuzzFigures
      readonly loop: LoopFigures
      readonly rssGrowthBytes: number
      readonly mishaps: readonly string[]
    }
