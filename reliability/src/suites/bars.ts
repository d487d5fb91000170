/** The bars that every suite has: each publish is settled once, nothing is doubled, swapped or made up. */
import type { Account } from '../oracle/account.ts'
import type { Ledger } from '../oracle/ledger.ts'
import { exactly, type Bar } from '../report/bar.ts'

/** The figures of the publishers. */
export function publishFigures(ledger: Ledger): Record<string, unknown> {
  return {
    publishes: ledger.publishers * ledger.events,
    confirmed: ledger.count('confirmed'),
    notSent: ledger.count('not-sent'),
    rejected: ledger.count('rejected'),
    unknown: ledger.count('unknown'),
    pending: ledger.count('pending'),
    resends: ledger.resends,
    ...(ledger.reasons.length === 0 ? {} : { reasons: ledger.reasons }),
  }
}

/** One figure over all subscribers. */
export function total(
  accounts: readonly Account[],
  figure: 'handled' | 'lost' | 'silent' | 'duplicates' | 'disordered' | 'impossible' | 'gapSize',
): number {
  return accounts.reduce((sum, account) => sum + account[figure], 0)
}

/** Gaps that were told, over all subscribers. */
export function gapCount(accounts: readonly Account[]): number {
  return accounts.flatMap(({ gaps }) => Object.values(gaps)).reduce((sum, n) => sum + n, 0)
}

/** What must hold whatever breaks. */
export function commonBars(ledger: Ledger, accounts: readonly Account[]): Bar[] {
  return [
    exactly('confirmed', ledger.count('confirmed'), ledger.publishers * ledger.events),
    exactly('settled more than once', ledger.settledAgain, 0),
    exactly('lost in silence', total(accounts, 'silent'), 0),
    exactly('duplicates at the handlers', total(accounts, 'duplicates'), 0),
    exactly('out of order', total(accounts, 'disordered'), 0),
    exactly('made up or changed', total(accounts, 'impossible'), 0),
  ]
}

/** The bars of one kind of confirmation, which their names say. */
export function named(confirm: 'hub' | 'subscribers', bars: readonly Bar[]): Bar[] {
  return bars.map((bar) => ({ ...bar, name: `confirm '${confirm}': ${bar.name}` }))
}
