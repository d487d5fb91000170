/** The pump: moves a subscriber's cursor through the log, as far as its window and its socket allow. */
import { gapLine, markLine } from '../../../protocol/bus-v1/lines.ts'
import type { Counters } from '../stats.ts'
import type { EventLog } from '../log/log.ts'
import type { SubscriberSession } from '../sessions/subscriber-session.ts'

/** Foreign events behind which a cursor is moved by a line of its own. */
const MARK_EVENTS = 1_024

/** Where the pump puts things. */
export interface Outlet {
  /** More waits in the socket than it should. */
  readonly isFull: boolean
  /** Sends a line as a message of its own. */
  sendText(text: string): void
  /** Sends lines of the log. */
  sendLines(data: Buffer): void
}

/**
 * @param wantsMark - tells the cursor even if little is between
 * @returns whether the log had moved on beyond the cursor, which has caught up now
 */
export function pump(
  subscriber: SubscriberSession,
  log: EventLog,
  outlet: Outlet,
  counters: Counters,
  flush: number,
  wantsMark: boolean,
): boolean {
  let wasBehind = false
  while (!outlet.isFull) {
    if (subscriber.position + 1 < log.firstOffset && subscriber.hasCredit) {
      const lost = subscriber.lost(log)
      if (lost > 0) {
        outlet.sendText(gapLine(subscriber.position + 1, lost, 'slow'))
        subscriber.tell(lost)
        counters.gaps++
      }
      subscriber.skipTo(log.firstOffset - 1)
      wasBehind = true
    }
    const batch = subscriber.next(log, flush)
    if (batch === undefined) break
    subscriber.sent(batch)
    if (batch.tooLarge !== undefined) {
      const { from, to } = batch.tooLarge
      outlet.sendText(gapLine(from, to, 'size'))
      subscriber.tell(to)
      counters.gaps++
    }
    if (batch.data === undefined) continue
    outlet.sendLines(batch.data)
    counters.delivered += batch.events.count
  }
  const behind = subscriber.position - subscriber.told
  if (behind >= MARK_EVENTS || (wantsMark && behind > 0)) {
    outlet.sendText(markLine(subscriber.position))
    subscriber.tell(subscriber.position)
  }
  return wasBehind
}

/** Does at little cost what {@link pump} would do for most. @returns `false`: there is more to do, and nothing was done */
export function passBy(subscriber: SubscriberSession, log: EventLog): boolean {
  return log.lastOffset - subscriber.told < MARK_EVENTS && subscriber.passBy(log)
}
