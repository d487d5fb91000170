/** The account of a subscriber: what it should have handled, and what became of the rest. */
import type { Ledger } from './ledger.ts'
import type { SubscriberRecord } from './record.ts'

/** Everything that was confirmed is handled, in a reported gap, or lost silently. */
export interface Account {
  /** Different events that reached the handler. */
  readonly handled: number
  /** Confirmed events that did not. */
  readonly lost: number
  /** Those of them for which no gap was reported. */
  readonly silent: number
  readonly duplicates: number
  readonly disordered: number
  /** Events that were never published, that were changed on the way, or whose publish failed as not sent. */
  readonly impossible: number
  readonly gaps: Readonly<Record<string, number>>
  /** Positions that the gaps name, together. */
  readonly gapSize: number
  /** The first that were lost in silence, as `publisher-number`. */
  readonly examples: readonly string[]
}

/** Compares the outcomes of the publishers with what a subscriber got. Nothing more may arrive at it. */
export function drawUp(ledger: Ledger, record: SubscriberRecord): Account {
  record.finish()
  const examples: string[] = []
  let lost = 0
  let silent = 0
  let impossible = record.corrupt
  for (let p = 0; p < ledger.publishers; p++) {
    for (let n = 0; n < ledger.events; n++) {
      const fate = ledger.fate(p, n)
      if (record.wasHandled(p, n)) {
        if (fate === 'not-sent' || fate === 'rejected') impossible++
        continue
      }
      if (fate !== 'confirmed') continue
      lost++
      if (record.isExplained(p, n)) continue
      silent++
      if (examples.length < 5) examples.push(`${p}-${n}`)
    }
  }
  const { handled, duplicates, disordered, gapSize } = record
  const gaps = Object.fromEntries(record.gaps)
  return { handled, lost, silent, duplicates, disordered, impossible, gaps, gapSize, examples }
}
