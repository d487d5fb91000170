/** The account of a subscriber: what it should have handled, and what became of the rest. */
import type { Ledger } from './ledger.ts'
import type { SubscriberRecord } from './record.ts'

/** Everything that was confirmed is handled, in a gap that was told, or lost in silence. */
export interface Account {
  /** Different events that reached the handler. */
  readonly handled: number
  /** Confirmed events that did not. */
  readonly lost: number
  /** Those of them where no gap was told. */
  readonly silent: number
  readonly duplicates: number
  readonly disordered: number
  /** Events that nobody published, that were changed on the way, or whose publisher was told that they were not sent. */
  readonly impossible: number
  readonly gaps: Readonly<Record<string, number>>
  /** Positions that the gaps name, together. */
  readonly gapSize: number
  /** The first that were lost in silence, as `publisher-number`. */
  readonly examples: readonly string[]
}

/** Compares what publishers were told with what a subscriber got. Nothing more may come to it. */
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
