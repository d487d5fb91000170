/** The session of `bus.v1`: acknowledged publishing and resumable subscribing over any number of links. */

import {
  AuthError,
  DecodeError,
  DisconnectedError,
  ProtocolError,
  RejectedError,
  type BusError,
  type Event,
  type Gap,
} from '@bus/core'
import { subscribeLine, unsubscribeLine, type Bye } from '../../protocol/bus-v1/lines.ts'
import { helloLine, type WireSubscription, type Hello } from '../../protocol/bus-v1/hello.ts'
import { HubMessageReader, type HubReceiver } from '../../protocol/bus-v1/lines.ts'
import type { Welcome } from '../../protocol/bus-v1/welcome.ts'
import type {
  Frame,
  LinkEnd,
  ProtocolCapabilities,
  ProtocolLink,
  ProtocolSession,
  SessionHost,
  SessionLink,
  WriterSource,
} from '../../protocol/protocol.ts'
import { encodeBody } from '../../protocol/bus-v1/fields.ts'
import { busV1Capabilities, VERSION } from '../../protocol/bus-v1/limits.ts'
import { ProgressWatch, SessionToken } from './progress-watch.ts'
import { BusV1Publisher, type PublisherOutbox } from './publisher.ts'
import { BusV1Subscriber } from './subscriber.ts'
import type { SessionCredentials } from '../../protocol/credentials.ts'
import type { Registry } from '../subscriptions/registry.ts'

/** With which a hub refuses who we are. */
const UNAUTHORIZED = 4401
/** With which a hub requires another session. */
const CONFLICT = 4409
/** With which a link is closed on which the hub broke the protocol: unlike 4400 it is worth another try. */
const PROTOCOL_ERROR = 1002

/** One per transport. The hub knows it by a session id, which it gives up when the hub has forgotten it. */
export class BusV1Session implements ProtocolSession, HubReceiver {
  readonly capabilities: ProtocolCapabilities = busV1Capabilities
  readonly pausesReading = false
  readonly encode: (event: Event) => Frame = encodeBody
  readonly #host: BusV1Host
  readonly #publisher: BusV1Publisher
  readonly #subscriber: BusV1Subscriber
  readonly #token: SessionToken | undefined
  readonly #progress: ProgressWatch
  readonly #hello = new HelloExchange()
  readonly #pending = new PendingSubscriptions()
  readonly #reader: HubMessageReader
  /** The link whose frames count. */
  #link: SessionLink | undefined

  constructor(host: BusV1Host, { credentials, progressMs }: BusV1SessionOptions) {
    this.#host = host
    const { clock, registry, writer } = host
    this.#token = credentials === undefined ? undefined : new SessionToken(credentials, clock)
    const subscriber = new BusV1Subscriber({
      registry,
      clock,
      writer,
      gap: (gap) => host.gap(gap),
      undecodable: (error, line) => host.undecodable(error, line),
    })
    this.#subscriber = subscriber
    this.#reader = new HubMessageReader(this, subscriber)
    this.#publisher = new BusV1Publisher(host.outbox, subscriber, clock)
    this.#progress = new ProgressWatch({
      clock,
      limitMs: progressMs,
      publisher: this.#publisher,
      probe: async (timeoutMs) => await this.#link?.probe({ timeoutMs }).catch(() => {}),
      stalled: (error) => this.#link?.fail(error),
    })
    // Until another session takes over, which may have nothing to settle.
    registry.settleWith(subscriber)
  }

  get received(): number {
    return this.#subscriber.received
  }

  async open(link: SessionLink, _attempt: number, signal: AbortSignal): Promise<void> {
    this.#forgetLink()
    const token = this.#token === undefined ? {} : await this.#token.show(signal)
    this.#link = link
    const patterns = this.#host.registry.patterns()
    const resume = this.#subscriber.begin(new Set(patterns))
    const subs = this.#subscriber.request(patterns)
    const { maxMessageBytes } = this.#host
    const hello = { subs, maxMessageBytes, ...resume, ...token }
    const { subs: answers } = await this.#hello.exchange(link, hello)
    const refused = new Map<string, Error>()
    for (const answer of answers) {
      const pattern = subs.find(({ id }) => id === answer.id)?.pattern
      if (pattern === undefined || !('code' in answer)) continue
      this.#subscriber.forget(pattern)
      refused.set(pattern, refusal(pattern, answer.id, answer.code))
    }
    this.#host.restored(
      patterns.filter((pattern) => !refused.has(pattern)),
      refused,
    )
  }

  refusal({ code, initiatedBy }: LinkEnd): BusError | undefined {
    if (code !== UNAUTHORIZED || initiatedBy !== 'remote') return undefined
    this.#token?.refused()
    return new AuthError('The hub does not accept our credentials')
  }

  up(): void {
    if (this.#link !== undefined) this.#token?.up(this.#link)
    this.#host.writer.wake()
  }

  down({ code, initiatedBy }: LinkEnd): void {
    const isTheirs = initiatedBy === 'remote'
    this.#forgetLink()
    if (isTheirs && code === UNAUTHORIZED) this.#token?.refused()
    const isPoisoned = this.#publisher.down(isTheirs ? code : undefined)
    // The hub would wait for the number of an event that was given up; or it requires another session.
    if (isPoisoned || (isTheirs && code === CONFLICT)) this.#hello.forgetSession()
  }

  get source(): WriterSource {
    return this.#publisher
  }

  frame(frame: Frame): void {
    if (typeof frame === 'string') this.text(Buffer.from(frame))
    else this.#drop('binary', frame)
  }

  text(bytes: Buffer): void {
    // What stood behind a bad line is lost on this link: to go on would be to skip it.
    if (this.#link === undefined) return
    if (!this.#hello.isWelcomed && !/^(?:welcome|bye) /.test(bytes.toString('latin1', 0, 8))) {
      this.#drop('early', bytes.toString())
      return
    }
    const bad = this.#reader.read(bytes)
    if (bad !== undefined) this.#drop(`${bad.verb} ${bad.fault}`, bytes.toString())
  }

  isOutdated(pattern: string): boolean {
    return this.#subscriber.isOutdated(pattern)
  }

  async subscribe(patterns: readonly string[], link: ProtocolLink): Promise<void> {
    const from = this.#subscriber.lastSentOffset
    const lines: string[] = []
    const requested: WireSubscription[] = []
    for (const pattern of patterns) {
      // At most once so far, and at least once from now on: it goes on where it is.
      const old = this.#subscriber.forget(pattern)
      if (old !== undefined) lines.push(unsubscribeLine(old))
      for (const sub of this.#subscriber.request([pattern])) {
        lines.push(subscribeLine(old === undefined ? sub : { ...sub, from }))
        requested.push(sub)
      }
    }
    const granted = this.#pending.wait(requested)
    void link.send(lines.join('\n')).catch(() => {})
    await granted
  }

  async unsubscribe(patterns: readonly string[], link: ProtocolLink): Promise<void> {
    const ids = patterns.flatMap((pattern) => this.#subscriber.forget(pattern) ?? [])
    if (ids.length > 0) await link.send(ids.map(unsubscribeLine).join('\n'))
  }

  last(): Frame | undefined {
    return this.#subscriber.lastAck()
  }

  close(): void {
    this.#forgetLink()
  }

  // What the hub says, line by line.

  welcome(welcome: Welcome): void {
    const fault = this.#hello.answered(welcome)
    if (fault !== undefined) {
      this.#drop(`welcome ${fault}`, '')
      return
    }
    this.#publisher.welcome(welcome)
    this.#progress.begin(welcome.limits)
    this.#subscriber.welcome(welcome)
  }

  ok(n: number): void {
    if (this.#publisher.ok(n)) this.#host.writer.wake()
    else this.#drop('ok n', `ok ${n}`)
  }

  no(n: number, code: string): void {
    this.#publisher.no(n, code)
    this.#host.writer.wake()
  }

  subok(id: number): void {
    this.#pending.granted(id)
  }

  subno(id: number, code: string): void {
    const pattern = this.#pending.refused(id, code)
    if (pattern !== undefined) this.#subscriber.forget(pattern, id)
  }

  bye({ retryAfterMs = 0, spreadMs = 0 }: Bye): void {
    // The close follows, with its code.
    this.#host.postpone(retryAfterMs, spreadMs)
  }

  /** The hub broke the protocol: a new link makes good what is missing. */
  #drop(what: string, frame: Frame): void {
    const link = this.#link
    if (link === undefined) return
    this.#link = undefined
    const message = `The hub said something wrong: ${what}`
    this.#host.undecodable(new DecodeError(message), frame)
    // While the link is being made ready, the failure of that ends it.
    const isOpening = this.#hello.fail(new ProtocolError(message, { retryable: true }))
    if (!isOpening) link.close(PROTOCOL_ERROR, what)
  }

  #forgetLink(): void {
    this.#link = undefined
    this.#hello.forgetLink()
    this.#pending.clear()
    this.#subscriber.down()
    this.#token?.down()
    this.#progress.stop()
  }
}

/** `hello` and the answer to it, on one link after the other; belongs to one session. */
export class HelloExchange {
  /** Whether the hub has answered on this link. A field, because it is read for each message; only this class writes it. */
  isWelcomed = false
  /** As the hub has named the session. */
  #sid: string | undefined
  /** Links that said `hello`. */
  #links = 0
  #waiting: PendingAnswer<Welcome> | undefined

  /** Says hello. Rejects with what {@link fail} is given, and with the end of the link. */
  exchange(link: SessionLink, hello: Omit<Hello, 'v' | 'sid' | 'link'>): Promise<Welcome> {
    const welcome = new Promise<Welcome>((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
    const session = this.#sid === undefined ? {} : { sid: this.#sid }
    const line = helloLine({ v: VERSION, ...hello, link: ++this.#links, ...session })
    // A failing write ends the link, and the wait with it.
    void link.send(line).catch(() => {})
    link.flow()
    return welcome
  }

  /** The hub's answer came. @returns what is wrong with it */
  answered(welcome: Welcome): 'again' | 'sid' | undefined {
    const waiting = this.#waiting
    if (waiting === undefined) return 'again'
    if (welcome.resumed && welcome.sid !== this.#sid) {
      this.#sid = undefined
      return 'sid'
    }
    this.#waiting = undefined
    this.isWelcomed = true
    this.#sid = welcome.sid
    waiting.resolve(welcome)
    return undefined
  }

  /** `false`: no answer is pending. */
  fail(error: Error): boolean {
    this.#waiting?.reject(error)
    return this.#waiting !== undefined
  }

  /** The link is gone. */
  forgetLink(): void {
    this.fail(new DisconnectedError('The link ended'))
    this.#waiting = undefined
    this.isWelcomed = false
  }

  /** The next link begins another session. */
  forgetSession(): void {
    this.#sid = undefined
  }
}

interface PendingAnswer<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

/** Subscriptions of one link that the hub has not answered yet. An answer to what was not requested means nothing. */
class PendingSubscriptions {
  readonly #pending = new Map<number, PendingAnswer<void> & { readonly pattern: string }>()

  /**
   * Resolves when the hub has granted all of the subscriptions; rejects with the first {@link refusal}, and with the end of the
   * link.
   */
  async wait(subs: readonly WireSubscription[]): Promise<void> {
    const answers = subs.map(
      ({ id, pattern }) =>
        new Promise<void>((resolve, reject) => {
          this.#pending.set(id, { pattern, resolve, reject })
        }),
    )
    await Promise.all(answers)
  }

  granted(id: number): void {
    this.#pending.get(id)?.resolve()
    this.#pending.delete(id)
  }

  /** @returns the pattern that the hub does not give */
  refused(id: number, code: string): string | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.reject(refusal(pending.pattern, id, code))
    return pending?.pattern
  }

  /** The link is gone. */
  clear(): void {
    const error = new DisconnectedError('The link ended')
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

/** Why a subscription is rejected. */
function refusal(pattern: string, id: number, code: string): RejectedError {
  return new RejectedError(`The hub refused the subscription ${id} to \`${pattern}\`: ${code}`)
}

/** What a session of `bus.v1` needs of its transport. */
export interface BusV1Host extends SessionHost {
  readonly outbox: PublisherOutbox
  readonly registry: Registry
  /** Woken when there is something to write. */
  readonly writer: { wake(): void }
  gap(gap: Gap): void
  /** The hub asks for so much time, counted from the end of the link, before the next attempt. */
  postpone(retryAfterMs: number, spreadMs: number): void
  undecodable(error: Error, frame: Frame): void
  /** What the hub has granted and refused of the subscriptions that there were when the link opened. */
  restored(taken: readonly string[], refused: ReadonlyMap<string, Error>): void
}

/** What of the options of `busV1` concerns its session. */
export interface BusV1SessionOptions {
  /** What is shown to the hub; `undefined` where the handshake says it all. */
  readonly credentials: SessionCredentials | undefined
  /** Milliseconds without a word of the hub about what was published that end the link; `Infinity`: none do. */
  readonly progressMs: number
}
