/** The session of `bus.v1`: acknowledged publishing and resumable subscribing over any number of links. */
import {
  DecodeError,
  ProtocolError,
  RejectedError,
  type Clock,
  type Event,
  type Gap,
} from '@bus/core'
import { subscribeLine, unsubscribeLine, type Bye } from '../../protocol/bus-v1/client-lines.ts'
import { helloLine, type Hello } from '../../protocol/bus-v1/hello.ts'
import { readHubMessage, type HubReceiver } from '../../protocol/bus-v1/hub-lines.ts'
import { VERSION } from '../../protocol/bus-v1/limits.ts'
import type { Gap as WireGap, Verdict, Welcome } from '../../protocol/bus-v1/welcome.ts'
import type { Frame, ProtocolCapabilities, ProtocolLink } from '../../protocol/protocol.ts'
import type { Registry } from '../registry.ts'
import type { Session, SessionLink } from '../session.ts'
import { encodeTail } from './body.ts'
import { busV1Capabilities } from './capabilities.ts'
import { Publisher, type PublisherOutbox } from './publisher.ts'
import { Subscriber } from './subscriber.ts'

export interface BusV1Ports {
  readonly outbox: PublisherOutbox
  readonly registry: Registry
  readonly clock: Clock
  /** There is something to write. */
  wake(): void
  received(): void
  gap(gap: Gap): void
  undecodable(error: Error, frame: Frame): void
  /** The verdict on everything that was wanted when the link opened. */
  restored(taken: readonly string[], refused: ReadonlyMap<string, Error>): void
}

interface Waiting<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

/** A message stays below this many characters, so that it neither delays a ping nor exceeds a limit. */
const MAX_MESSAGE_LENGTH = 65_536

/** One per transport. The hub knows it by a session id, which it gives up when the hub has forgotten it. */
export class BusV1Session implements Session, HubReceiver {
  readonly capabilities: ProtocolCapabilities = busV1Capabilities
  readonly pausesReading = false
  readonly #ports: BusV1Ports
  readonly #publisher: Publisher
  readonly #subscriber: Subscriber
  readonly #verdicts = new Map<number, Waiting<void>>()
  #link: SessionLink | undefined
  #welcomed: Waiting<Welcome> | undefined
  #sid: string | undefined

  constructor(ports: BusV1Ports) {
    this.#ports = ports
    this.#publisher = new Publisher(ports.outbox)
    this.#subscriber = new Subscriber({
      registry: ports.registry,
      clock: ports.clock,
      ackDue: () => ports.wake(),
      gap: (gap) => ports.gap(gap),
      received: () => ports.received(),
      undecodable: (error, line) => ports.undecodable(error, line),
    })
  }

  encode(event: Event): Frame {
    return encodeTail(event)
  }

  async open(link: SessionLink, _attempt: number, signal: AbortSignal): Promise<void> {
    this.#link = link
    link.flow()
    const patterns = this.#ports.registry.patterns()
    const subs = this.#subscriber.wanted(patterns)
    const welcome = this.#await<Welcome>(signal, (waiting) => (this.#welcomed = waiting))
    const { epoch, offset } = this.#subscriber
    const resume = this.#sid === undefined ? {} : { sid: this.#sid }
    const hello: Hello = {
      v: VERSION,
      subs,
      ...resume,
      ...(epoch === undefined ? {} : { epoch, offset }),
    }
    // A failing write ends the link, and the wait with it.
    void link.send(helloLine(hello)).catch(() => {})
    const { subs: verdicts } = await welcome
    const refused = new Map<string, Error>()
    for (const verdict of verdicts) {
      const pattern = subs.find(({ id }) => id === verdict.id)?.pattern
      if (pattern !== undefined && 'code' in verdict)
        refused.set(pattern, refusal(pattern, verdict))
    }
    this.#ports.restored(
      patterns.filter((pattern) => !refused.has(pattern)),
      refused,
    )
  }

  up(): void {
    this.#ports.wake()
  }

  down(code: number): void {
    this.#link = undefined
    this.#subscriber.down()
    // The hub would wait for the number of an event that was given up.
    if (this.#publisher.down(code)) this.#sid = undefined
  }

  next(): Frame | undefined {
    const message = this.#publisher.fill(this.#subscriber.takeAck() ?? '', MAX_MESSAGE_LENGTH)
    return message === '' ? undefined : message
  }

  taken(): void {
    this.#publisher.taken()
  }

  frame(frame: Frame): void {
    const bad =
      typeof frame === 'string'
        ? readHubMessage(frame, this)
        : ({ verb: 'binary', fault: 'verb' } as const)
    if (bad === undefined) return
    this.#ports.undecodable(
      new DecodeError(`The hub's line ${bad.verb} is wrong: ${bad.fault}`),
      frame,
    )
    // What stood behind it is lost on this link; a new one sends it again.
    this.#link?.close(4400, `${bad.verb} ${bad.fault}`)
  }

  settle(token: number): void {
    this.#subscriber.settle(token)
  }

  async subscribe(patterns: readonly string[], link: ProtocolLink): Promise<void> {
    const subs = this.#subscriber.wanted(patterns)
    const verdicts = subs.map(({ id, pattern }) =>
      this.#await<void>(link.signal, (waiting) =>
        this.#verdicts.set(id, {
          resolve: () => waiting.resolve(),
          reject: (code) => waiting.reject(refusal(pattern, { id, code: String(code) })),
        }),
      ),
    )
    void link.send(subs.map(subscribeLine).join('\n')).catch(() => {})
    await Promise.all(verdicts)
  }

  async unsubscribe(patterns: readonly string[], link: ProtocolLink): Promise<void> {
    const ids = patterns.flatMap((pattern) => this.#subscriber.forget(pattern) ?? [])
    if (ids.length > 0) await link.send(ids.map(unsubscribeLine).join('\n'))
  }

  close(): void {
    this.#subscriber.down()
  }

  // What the hub says, line by line.

  welcome(welcome: Welcome): void {
    if (welcome.sid !== this.#sid && this.#sid !== undefined && welcome.resumed) {
      this.#welcomed?.reject(new ProtocolError('The hub resumed a session that is not ours'))
      return
    }
    this.#sid = welcome.sid
    this.#publisher.welcome(welcome)
    this.#subscriber.welcome(welcome)
    this.#welcomed?.resolve(welcome)
    this.#welcomed = undefined
  }

  ok(n: number): void {
    if (this.#publisher.ok(n)) this.#ports.wake()
    else this.#link?.close(4409, 'ok beyond')
  }

  no(n: number, code: string): void {
    this.#publisher.no(n, code)
  }

  subok(id: number): void {
    this.#verdicts.get(id)?.resolve()
    this.#verdicts.delete(id)
  }

  subno(id: number, code: string): void {
    this.#verdicts.get(id)?.reject(code)
    this.#verdicts.delete(id)
  }

  event(offset: number, type: string, id: string, body: string, resent: boolean): void {
    this.#subscriber.event(offset, type, id, body, resent)
  }

  gap(gap: WireGap): void {
    this.#subscriber.gap(gap)
  }

  mark(offset: number): void {
    this.#subscriber.mark(offset)
  }

  bye({ code }: Bye): void {
    // The hub closes next, with the same code; when to come back is the reconnector's business.
    void code
  }

  /** A promise that ends with the signal at the latest. */
  #await<T>(signal: AbortSignal, register: (waiting: Waiting<T>) => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason)
      const end = (): void => signal.removeEventListener('abort', onAbort)
      signal.addEventListener('abort', onAbort, { once: true })
      register({
        resolve: (value) => {
          end()
          resolve(value)
        },
        reject: (error) => {
          end()
          reject(error)
        },
      })
    })
  }
}

function refusal(pattern: string, { id, code }: Extract<Verdict, { code: string }>): RejectedError {
  return new RejectedError(`The hub refused the subscription ${id} to \`${pattern}\`: ${code}`)
}
