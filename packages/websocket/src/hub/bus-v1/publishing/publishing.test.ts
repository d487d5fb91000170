import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  readClientMessage,
  publishLine,
  type ClientReceiver,
} from '../../../protocol/bus-v1/lines.ts'
import { wireDefaults } from '../../../protocol/bus-v1/limits.ts'
import { readWelcome } from '../../../protocol/bus-v1/welcome.ts'
import { Confirmations } from './confirmations.ts'
import { newCounters } from '../stats.ts'
import { fitWelcome } from '../connections/greeting.ts'
import { LogRetention } from '../log/log-retention.ts'
import { EventLog } from '../log/log.ts'
import {
  AuthenticatedConnection,
  type MessageSink,
} from '../connections/authenticated-connection.ts'
import { PatternSets } from '../log/pattern-set.ts'
import { Permission } from '../admission/authenticator.ts'
import { Publishing } from './publishing.ts'
import { Sessions, type Session } from '../sessions/session.ts'

const WINDOW = { events: 6, bytes: 10_000 }
const WHO = { id: 'p' }
/** The test flushes by itself. */
const NO_FLUSH = { mark: () => {}, schedule: () => {}, progress: () => {} }

interface Setting {
  readonly confirm: 'hub' | 'subscribers'
  readonly heldBytes: number
  readonly maxMessageBytes: number
  /** For each event whether the hub will refuse it. */
  readonly isBad: readonly boolean[]
}

type Step =
  | { readonly do: 'send' | 'hub reads' | 'client reads' | 'room' | 'ack'; readonly count: number }
  | { readonly do: 'serve' | 'cut' }

const count = fc.integer({ min: 1, max: 5 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), count }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('hub reads' as const), count }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('client reads' as const), count }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('room' as const), count }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ack' as const), count }) },
  { weight: 6, arbitrary: fc.constant({ do: 'serve' } as const) },
  { weight: 2, arbitrary: fc.constant({ do: 'cut' } as const) },
)

const setting: fc.Arbitrary<Setting> = fc.record({
  confirm: fc.constantFrom('hub', 'subscribers'),
  heldBytes: fc.constantFrom(700, 1_000_000),
  maxMessageBytes: fc.constantFrom(270, Infinity),
  isBad: fc.array(fc.boolean(), { minLength: 1, maxLength: 40, size: 'max' }),
})

/** A connection whose other end is {@link Run}. */
class FakeConnection implements MessageSink {
  readonly address: string | undefined = undefined
  readonly isFull = false
  readonly tcp = { cork: (): void => {}, uncork: (): void => {} }
  closedWith: string | undefined
  readonly lines: string[] = []

  get isOver(): boolean {
    return this.closedWith !== undefined
  }

  sendText(text: string): void {
    if (!this.isOver) this.lines.push(...text.split('\n'))
  }
  send(): void {}
  close(code: number, reason: string): void {
    this.closedWith ??= `${code} ${reason}`
  }
}

const unexpected = (): undefined => {
  throw new Error('only events are sent here')
}

/** Reads a message of a client that has nothing but events in it. */
function readEvents(message: string, publish: ClientReceiver['publish']): void {
  const receiver: ClientReceiver = {
    isOver: false,
    publish,
    hello: unexpected,
    subscribe: unexpected,
    unsubscribe: unexpected,
    ack: unexpected,
    auth: unexpected,
    bye: unexpected,
  }
  expect(readClientMessage(Buffer.from(message), publishLine(), receiver)).toBeUndefined()
}

/** A publisher beside a relay: what reaches it, and what waits. */
class BesideRelay {
  readonly relay = { isFull: false, hasPlainConnections: true }
  readonly counters = newCounters()
  readonly publishing: Publishing
  readonly session: Session
  /** Offsets that the relay was given. */
  readonly relayed: number[] = []
  readonly #log = new EventLog({ maxEvents: 100, maxBytes: 1e6, maxAgeMs: Infinity })

  /** @param onPublished - called with each event that the relay is given */
  constructor(onPublished: () => void = () => {}) {
    const log = this.#log
    const sets = new PatternSets(log)
    const options = { ttlMs: 1e6, capacity: 1, window: WINDOW, sets, newId: () => 's' }
    const session = new Sessions(options).create(WHO)
    if (session === undefined) throw new Error('one session')
    this.session = session
    this.publishing = new Publishing({
      log,
      retention: new LogRetention({ log, sessions: [], holdMs: 1e6, onGivenUp: () => {} }),
      confirmations: undefined,
      counters: this.counters,
      isStamped: false,
      maxEventBytes: 1_000,
      maxPendingBytes: 1e6,
      opensAt: 0,
      flush: NO_FLUSH,
      hasBackend: false,
      relay: this.relay,
      onPublished: (offset) => {
        this.relayed.push(offset)
        onPublished()
        return false
      },
    })
  }

  get lastOffset(): number {
    return this.#log.lastOffset
  }

  publish(message: string): void {
    const permission = new Permission(WHO, undefined, () => {})
    const { session } = this
    const publisher = { session, permission, rate: undefined, flush: () => {}, again: () => {} }
    readEvents(message, (bytes, from, to, line, resent) => {
      expect(this.publishing.publish(publisher, bytes, from, to, line, resent, 0)).toBeUndefined()
      return undefined
    })
  }
}

/** One publisher and its state in the hub, with lines under way both ways. Event n has the number n for its whole life. */
class Run {
  readonly #setting: Setting
  readonly #log = new EventLog({ maxEvents: 1e6, maxBytes: 1e9, maxAgeMs: Infinity })
  readonly #sessions: Sessions
  readonly #session: Session
  readonly #reader: Session
  readonly #counters = newCounters()
  readonly #confirmations: Confirmations | undefined
  readonly #publishing: Publishing
  /** Events that there is room for. */
  #room = 0
  readonly #relay = { isFull: true, hasPlainConnections: false }
  /** Numbers in the log, in its order. */
  readonly #accepted: number[] = []
  #connection = new FakeConnection()
  #authenticated: AuthenticatedConnection
  #toHub: string[] = []
  #toClient: string[] = []
  /** What the client knows. */
  #sent = 0
  readonly confirmed = new Set<number>()
  readonly refused = new Set<number>()

  constructor(made: Setting) {
    this.#setting = made
    let id = 0
    const sets = new PatternSets(this.#log)
    this.#sessions = new Sessions({
      ttlMs: 1e6,
      capacity: 10,
      window: WINDOW,
      sets,
      newId: () => `s${++id}`,
    })
    const [session, reader] = [this.#sessions.create(WHO), this.#sessions.create(WHO)]
    if (session === undefined || reader === undefined) throw new Error('two sessions')
    this.#session = session
    this.#reader = reader
    this.#confirmations =
      made.confirm === 'hub'
        ? undefined
        : new Confirmations({ holdMs: Infinity, onGivenUp: () => {} })
    sets.observer = this.#confirmations
    reader.subscriber.add(1, { pattern: '>', mode: 'alo' }, 0)
    // A session in which nothing was said yet would end with its link.
    session.subscriber.add(1, { pattern: 'quiet', mode: 'amo' }, 0)
    session.subscriber.begin(0, WINDOW, made.maxMessageBytes)
    this.#publishing = this.#newPublishing()
    this.#authenticated = this.#link()
  }

  do(next: Step): void {
    switch (next.do) {
      case 'send':
        for (let i = 0; i < next.count; i++) this.#send()
        break
      case 'hub reads':
        for (const line of this.#toHub.splice(0, next.count)) this.#hubReads(line)
        break
      case 'client reads':
        for (const line of this.#toClient.splice(0, next.count)) this.#clientReads(line)
        break
      case 'room':
        this.#room += next.count
        this.#relay.isFull = false
        this.#publishing.drain(0)
        break
      case 'ack':
        this.#ack(next.count)
        break
      case 'serve':
        this.#serve()
        break
      case 'cut':
        this.#cut()
    }
    // Sent away, it comes back; nothing else ends a link.
    if (this.#connection.isOver) {
      expect(this.#connection.closedWith).toBe('4503 held')
      this.#cut()
    }
    expect(this.#publishing.pending.events).toBe(this.#session.publisher.pending)
    expect(this.#accepted).toEqual(this.#accepted.toSorted((a, b) => a - b))
    expect(new Set(this.#accepted).size).toBe(this.#accepted.length)
  }

  /** The reader is sent so many more events, and settles them. */
  #ack(events: number): void {
    const { subscriber } = this.#reader
    const offset = Math.min(this.#log.lastOffset, subscriber.acked + events)
    subscriber.markSent(offset)
    subscriber.ack(offset)
  }

  /** Room for everything, and every line arrives. */
  finish(): void {
    const { isBad } = this.#setting
    const isDone = (): boolean => this.confirmed.size + this.refused.size === isBad.length
    for (let i = 0; i < 10 * isBad.length && !isDone(); i++) {
      for (const name of ['send', 'hub reads', 'room', 'ack'] as const) {
        this.do({ do: name, count: 100 })
      }
      this.do({ do: 'serve' })
      this.do({ do: 'client reads', count: 1_000 })
    }
    const numbers = isBad.map((_, i) => i + 1)
    const good = numbers.filter((n) => isBad[n - 1] === false)
    expect(this.#accepted).toEqual(good)
    expect([...this.confirmed].toSorted((a, b) => a - b)).toEqual(good)
    expect([...this.refused].toSorted((a, b) => a - b)).toEqual(
      numbers.filter((n) => isBad[n - 1] === true),
    )
    expect(this.#counters.refused).toBe(this.refused.size)
  }

  #newPublishing(): Publishing {
    const log = this.#log
    return new Publishing({
      log,
      retention: new LogRetention({ log, sessions: [], holdMs: 1e6, onGivenUp: () => {} }),
      confirmations: this.#confirmations,
      counters: this.#counters,
      isStamped: false,
      maxEventBytes: 1_000,
      maxPendingBytes: this.#setting.heldBytes,
      opensAt: 0,
      flush: NO_FLUSH,
      onPublished: (offset) => {
        this.#room--
        this.#relay.isFull = this.#room === 0
        const [, , , id = ''] =
          log.segmentOf(offset)?.slice(offset, offset).toString().split(' ') ?? []
        this.#accepted.push(Number(id))
        return false
      },
      hasBackend: true,
      relay: this.#relay,
    })
  }

  #send(): void {
    const { isBad } = this.#setting
    let settled = 0
    while (this.confirmed.has(settled + 1) || this.refused.has(settled + 1)) settled++
    if (this.#sent === isBad.length || this.#sent - settled >= WINDOW.events) return
    this.#toHub.push(this.#lineOf(++this.#sent))
  }

  #lineOf(n: number): string {
    return `pub ${n} ${this.#setting.isBad[n - 1] === true ? 'a..b' : 'a'} ${n} {}`
  }

  #hubReads(line: string): void {
    readEvents(line, (bytes, from, to, where, resent) => {
      if (!this.#connection.isOver) this.#authenticated.publish(bytes, from, to, where, resent)
      return undefined
    })
  }

  /** A flush of the hub: what it sends is under way now. */
  #serve(): void {
    this.#confirmations?.settle((session) => session.link?.wake())
    this.#authenticated.flush(1)
    this.#toClient.push(...this.#connection.lines.splice(0))
  }

  #clientReads(line: string): void {
    const [verb, n = '', code = ''] = line.split(' ')
    if (verb === 'no') this.#refuse(Number(n), code)
    else if (verb === 'ok') this.#confirm(Number(n))
    else expect(verb).toBe('bye')
  }

  #refuse(n: number, code: string): void {
    expect(code).toBe('type')
    expect(this.confirmed.has(n)).toBe(false)
    this.refused.add(n)
    // Every number before it has its answer: none of them would be sent again and find this one missing.
    for (let before = 1; before < n; before++) {
      expect(this.#accepted.includes(before) || this.#setting.isBad[before - 1]).toBe(true)
    }
    expect(this.#session.publisher.accepted).toBeGreaterThanOrEqual(n)
  }

  #confirm(last: number): void {
    expect(last).toBeLessThanOrEqual(this.#sent)
    for (let n = 1; n <= last; n++) {
      if (this.refused.has(n)) continue
      expect(this.#accepted).toContain(n)
      this.confirmed.add(n)
    }
  }

  #link(): AuthenticatedConnection {
    this.#connection = new FakeConnection()
    const authenticated = new AuthenticatedConnection(
      this.#connection,
      this.#session,
      {
        permission: new Permission(WHO, undefined, () => {}),
        expiresAt: Infinity,
      },
      {
        log: this.#log,
        publishing: this.#publishing,
        flush: NO_FLUSH,
        counters: this.#counters,
        publishPerSecond: Infinity,
        clock: { now: () => 0 },
        subscribe: () => 0,
        unsubscribe: () => {},
        restored: () => {},
      },
    )
    this.#sessions.attach(this.#session, authenticated, 0)
    return authenticated
  }

  /** What was under way is lost; the next link is welcomed, and goes on. */
  #cut(): void {
    this.#sessions.detach(this.#session, this.#authenticated, 0, false)
    this.#toHub = []
    this.#toClient = []
    this.#authenticated = this.#link()
    const { text, later } = fitWelcome(
      {
        sid: this.#session.sid,
        resumed: true,
        last: this.#session.publisher.confirmed,
        refused: this.#session.publisher.refusals(),
        epoch: 'e',
        head: this.#log.lastOffset,
        limits: wireDefaults,
        heartbeatMs: 1,
        subs: [],
        gaps: [],
      },
      this.#setting.maxMessageBytes,
    )
    for (const [n, code] of later) this.#authenticated.refused(n, code)
    const welcome = readWelcome(text.slice('welcome '.length))
    if (typeof welcome === 'string') throw new Error(welcome)
    for (const [n, code] of welcome.refused) this.#refuse(n, code)
    this.#confirm(welcome.last)
    for (let n = 1; n <= this.#sent; n++) {
      if (!this.confirmed.has(n) && !this.refused.has(n)) this.#toHub.push(this.#lineOf(n))
    }
  }
}

describe('publishing', () => {
  it(
    'answers every number once and in order, over any cuts, and a resumed session never has a hole',
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(setting, fc.array(step, { maxLength: 150, size: 'max' }), (made, steps) => {
          const run = new Run(made)
          for (const next of steps) run.do(next)
          run.finish()
        }),
        { numRuns: 300 },
      )
    },
  )

  it('keeps the rest of a message waiting when the relay fills up between two of its events', () => {
    const hub: BesideRelay = new BesideRelay(() => (hub.relay.isFull = true))
    hub.publish('pub 1 a 1 {}\npub 2 a 2 {}\npub 3 a 3 {}')
    expect(hub.lastOffset).toBe(1)
    expect(hub.session.publisher).toMatchObject({ received: 3, accepted: 1, confirmed: 1 })
    expect(hub.publishing.pending).toMatchObject({ events: 2, isEmpty: false })

    hub.publishing.drain(0)
    expect(hub.lastOffset).toBe(1)

    hub.relay.isFull = false
    hub.publishing.drain(0)
    // It fills up again with the next one.
    expect(hub.lastOffset).toBe(2)

    hub.relay.isFull = false
    hub.publish('pub 4 a 4 {}')
    // What waits goes first.
    expect(hub.lastOffset).toBe(2)
    hub.publishing.drain(0)
    hub.relay.isFull = false
    hub.publishing.drain(0)
    expect(hub.session.publisher.confirmed).toBe(4)
    expect(hub.publishing.pending).toMatchObject({ events: 0, isEmpty: true })
    expect(hub.relayed).toEqual([1, 2, 3, 4])
  })

  it('gives the relay the events that come while it has a connection', () => {
    const hub = new BesideRelay()
    hub.relay.hasPlainConnections = false
    hub.publish('pub 1 a 1 {}')
    hub.relay.hasPlainConnections = true
    hub.publish('pub 2 a 2 {}\npub - a 3 {}')
    hub.relay.hasPlainConnections = false
    hub.publish('pub 3 a 4 {}')
    expect(hub.relayed).toEqual([2, 3])
    expect(hub.lastOffset).toBe(4)
  })
})
