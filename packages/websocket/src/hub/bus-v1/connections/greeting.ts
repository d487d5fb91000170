/** The greeting: finds or creates the session of a client that sent `hello`, and writes the `welcome`. */

import type { Hello, WireSubscription } from '../../../protocol/bus-v1/hello.ts'
import type { Window, RefusalCode } from '../../../protocol/bus-v1/limits.ts'
import {
  welcomeLine,
  type WireGap,
  type SubscriptionVerdict,
  type Welcome,
} from '../../../protocol/bus-v1/welcome.ts'
import type { EventLog } from '../log/log.ts'
import type { Permission, Principal } from '../admission/authenticator.ts'
import type { Session, Sessions } from '../sessions/session.ts'
import type { Subscribing } from '../sessions/subscribing.ts'

export interface GreetingOptions {
  readonly epoch: string
  readonly log: EventLog
  readonly sessions: Sessions
  readonly subscribing: Subscribing
  readonly window: Window
}

/** The session, and what a welcome says of it. */
export interface Greeting {
  readonly session: Session
  readonly resumed: boolean
  readonly subs: readonly SubscriptionVerdict[]
  readonly gaps: readonly WireGap[]
}

/** Where a session begins in the log. */
interface Start {
  readonly session: Session
  readonly resumed: boolean
  /** The client's offsets are those of another log. */
  readonly isNewEpoch: boolean
  readonly cursor: number
}

/** @returns `undefined` when there are as many sessions as may be */
export function greet(
  hello: Hello,
  principal: Principal,
  permission: Permission,
  options: GreetingOptions,
  now: number,
): Greeting | undefined {
  const start = findStart(hello, principal, options, now)
  if (start === undefined) return undefined
  const { session, resumed } = start
  const { subscriber } = session
  const { log } = options
  const before = new Map([...subscriber.list()].map((sub) => [sub.id, sub]))
  subscriber.removeAll()
  const subs: SubscriptionVerdict[] = []
  for (const sub of hello.subs) {
    const code = options.subscribing.judge(session, permission, sub.pattern)
    if (code === undefined) {
      const known = before.get(sub.id)
      const since = sinceOf(
        sub,
        known?.pattern === sub.pattern ? known.from : undefined,
        start,
        log,
      )
      subscriber.add(sub.id, sub, since)
      subs.push({ id: sub.id, offset: since })
    } else subs.push({ id: sub.id, code })
  }
  const cursor = cursorOf(start, log)
  subscriber.begin(cursor, smaller(hello.window, options.window), hello.maxMessageBytes)
  const gaps = gapsOf(hello, start, log)
  return { session, resumed, subs: subs.map((verdict) => notBefore(verdict, cursor)), gaps }
}

function findStart(
  hello: Hello,
  principal: Principal,
  { epoch, log, sessions }: GreetingOptions,
  now: number,
): Start | undefined {
  const { offset } = hello
  const isOtherLog = hello.epoch !== undefined && hello.epoch !== epoch
  // A cursor beyond the last offset belongs to a log that this one replaced.
  const isNewEpoch = isOtherLog || (offset !== undefined && offset > log.lastOffset)
  const known = isNewEpoch ? undefined : sessions.find(hello.sid, principal, now)
  const session = known ?? sessions.create(principal)
  if (session === undefined) return undefined
  const resumed = known !== undefined
  if (resumed) sessions.fence(known)
  if (isNewEpoch) return { session, resumed, isNewEpoch, cursor: 0 }
  const cursor = offset ?? (resumed ? session.subscriber.acked : log.lastOffset)
  return { session, resumed, isNewEpoch, cursor }
}

/** The offset behind which a subscription begins. */
function sinceOf(
  { from }: WireSubscription,
  known: number | undefined,
  { resumed, isNewEpoch, cursor }: Start,
  log: EventLog,
): number {
  if (isNewEpoch) return 0
  if (known !== undefined) return known
  if (from !== undefined) return Math.min(from, log.lastOffset)
  return resumed ? log.lastOffset : cursor
}

function cursorOf({ session, resumed, cursor }: Start, log: EventLog): number {
  if (resumed) return cursor
  const sinces = Array.from(session.subscriber.list(), (sub) => sub.from)
  return sinces.length === 0 ? log.lastOffset : Math.min(...sinces)
}

/** Reports what was lost, and moves the session's position behind it. */
function gapsOf(hello: Hello, { session, isNewEpoch }: Start, log: EventLog): WireGap[] {
  const { subscriber } = session
  const gaps: WireGap[] = []
  if (isNewEpoch && hello.offset !== undefined && subscriber.subscriptions > 0) {
    // How far the old log went is not known; the offset is one of it. There is no number behind the largest.
    const first = Math.min(hello.offset + 1, Number.MAX_SAFE_INTEGER)
    gaps.push({ from: first, to: first, why: 'epoch' })
  }
  const lost = subscriber.lost(log)
  if (lost > 0) {
    gaps.push({ from: subscriber.position + 1, to: lost, why: 'overrun' })
    subscriber.markSent(lost)
  }
  subscriber.skipTo(log.firstOffset - 1)
  return gaps
}

function notBefore(verdict: SubscriptionVerdict, cursor: number): SubscriptionVerdict {
  if (!('offset' in verdict)) return verdict
  return { id: verdict.id, offset: Math.max(verdict.offset, cursor) }
}

function smaller(requested: Window | undefined, allowed: Window): Window {
  if (requested === undefined) return allowed
  return {
    events: Math.min(requested.events, allowed.events),
    bytes: Math.min(requested.bytes, allowed.bytes),
  }
}

type Refusals = readonly (readonly [n: number, code: RefusalCode])[]

/** A welcome, and the refusals that it has no room for, which are sent after it. */
export interface FittedWelcome {
  readonly text: string
  readonly later: Refusals
}

/**
 * Has as many refusals as fit, and confirms no number behind those: the client sends the rest again, and gets an answer to
 * each.
 */
export function fitWelcome(
  welcome: Omit<Welcome, 'refused'> & { readonly refused: Refusals },
  maxMessageBytes: number,
): FittedWelcome {
  const { refused } = welcome
  const text = welcomeLine(welcome)
  if (text.length <= maxMessageBytes || refused.length === 0) return { text, later: [] }
  let room = maxMessageBytes - welcomeLine({ ...welcome, refused: [] }).length
  let count = 0
  for (const refusal of refused) {
    room -= JSON.stringify(refusal).length + 1
    if (room < 0) break
    count++
  }
  const later = refused.slice(count)
  const last = Math.min(welcome.last, (later[0]?.[0] ?? Infinity) - 1)
  return { text: welcomeLine({ ...welcome, refused: refused.slice(0, count), last }), later }
}

/** Splits lines into messages of at most so many bytes, unless a single line is longer. They are ASCII. */
export function* inMessages(lines: string, maxMessageBytes: number): Generator<string> {
  let from = 0
  while (lines.length - from > maxMessageBytes) {
    let to = lines.lastIndexOf('\n', from + maxMessageBytes)
    if (to <= from) to = lines.indexOf('\n', from)
    if (to === -1) break
    yield lines.slice(from, to)
    from = to + 1
  }
  yield lines.slice(from)
}
