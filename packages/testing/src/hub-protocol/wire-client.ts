/** A bare client of a `bus.v1` hub: it sends literal lines and keeps every line that it receives. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { CaseWaits } from '../conformance/world/waiting.ts'
import { readEvent, type ReceivedEvent } from './lines.ts'

/** How a link ended. */
export interface Closed {
  readonly code: number
  readonly reason: string
}

/** The content of a welcome. The cases check its form before they use it. */
interface Welcome {
  readonly sid: string
  readonly resumed: boolean
  readonly last: number
  readonly refused: readonly (readonly [number, string])[]
  readonly epoch: string
  readonly head: number
  readonly limits: {
    readonly maxEventBytes: number
    readonly maxLineBytes: number
    readonly window: { readonly events: number; readonly bytes: number }
    readonly ackMs: number
    readonly okMs?: number
  }
  readonly heartbeatMs: number
  readonly subs: readonly {
    readonly id: number
    readonly offset?: number
    readonly code?: string
  }[]
  readonly gaps: readonly { readonly from: number; readonly to: number; readonly why: string }[]
}

const SUBPROTOCOL = 'bus.v1'
/** Milliseconds until a close that is not answered is given up. */
const CLOSE_MS = 1_000
/** Ids from here on are used by no case whose subscriptions would last. */
const LASTING_SUB_IDS = 8

/** Belongs to its case. */
export class WireClient {
  /** Lines, in the order of the wire; a message may contain several. */
  readonly lines: string[] = []
  readonly events: ReceivedEvent[] = []
  /** The largest message that came, in bytes. */
  largestMessage = 0
  /** How many pings of the hub came. */
  pings = 0
  /** How it ended; `undefined` while it is open. */
  closed: Closed | undefined
  /** Whether it acknowledges every event as soon as it comes. */
  acknowledgesAtOnce = false
  readonly #ws: WebSocket
  readonly #waiting: CaseWaits
  readonly #binary: Buffer[] = []

  private constructor(ws: WebSocket, waiting: CaseWaits) {
    this.#ws = ws
    this.#waiting = waiting
    ws.on('error', () => {})
    ws.on('message', (data: Buffer, isBinary) => this.#read(data, isBinary))
    ws.on('ping', () => this.pings++)
    ws.once('close', (code, reason) => (this.closed = { code, reason: reason.toString() }))
  }

  /** Opens a connection that offers `bus.v1` and sends nothing yet. */
  static async open(
    url: string,
    headers: Readonly<Record<string, string>>,
    waiting: CaseWaits,
  ): Promise<WireClient> {
    const ws = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false, headers })
    const client = new WireClient(ws, waiting)
    await waiting.soon(once(ws, 'open'), 'an open connection')
    return client
  }

  /** Sends lines, in one message. */
  send(...lines: string[]): void {
    this.#ws.send(lines.join('\n'))
  }

  /** Sends a binary message. */
  sendBytes(bytes: Uint8Array): void {
    this.#ws.send(bytes)
  }

  /** Sends a ping. @returns what its pong carries */
  async ping(payload: string = ''): Promise<string> {
    const pong = once(this.#ws, 'pong')
    this.#ws.ping(payload)
    const [received] = (await this.#waiting.soon(pong, 'a pong')) as [Buffer]
    return received.toString()
  }

  /** The lines with this verb, without it. */
  linesOf(verb: string): string[] {
    const start = `${verb} `
    return this.lines.filter((line) => line.startsWith(start)).map((l) => l.slice(start.length))
  }

  /** The numbers of the `ok` lines. */
  get oks(): number[] {
    return this.linesOf('ok').map(Number)
  }

  /** The welcome, which is the first line. */
  get welcome(): Welcome {
    const [first = ''] = this.lines
    assert.match(first, /^welcome \{.*\}$/s, 'Expected the first line to be the welcome')
    return JSON.parse(first.slice('welcome '.length)) as Welcome
  }

  /** What each event carried, in the order of the wire. */
  get payloads(): unknown[] {
    return this.events.map(({ body }) => (JSON.parse(body) as { payload: unknown }).payload)
  }

  get offsets(): number[] {
    return this.events.map(({ offset }) => offset)
  }

  /** Resolves with the first line that begins so, now or later. */
  async line(start: string): Promise<string> {
    const found = (): string | undefined => this.lines.find((line) => line.startsWith(start))
    await this.#until(() => found() !== undefined, `a line that begins with ${start}`)
    return found() ?? ''
  }

  /** Resolves when the number is confirmed. */
  async ok(n: number): Promise<void> {
    await this.#until(() => this.oks.some((ok) => ok >= n), `an ok for ${n}`)
  }

  /** Resolves when so many events came. */
  async count(events: number): Promise<void> {
    await this.#until(() => this.events.length >= events, `${events} events`)
  }

  /** Resolves when an event with this payload came. */
  async payload(payload: unknown): Promise<void> {
    await this.#until(() => this.payloads.includes(payload), `an event with ${String(payload)}`)
  }

  /** Resolves when the hub has closed the link with this code, and with this reason where one is given. */
  async closedWith(code: number, reason?: string): Promise<void> {
    await this.#until(() => this.closed !== undefined, `a close with ${code} ${reason ?? ''}`)
    const expected = { code, reason: reason ?? this.closed?.reason }
    assert.deepEqual(this.closed, expected)
  }

  /** Resolves when pings were answered that were sent after everything else. */
  async settled(): Promise<void> {
    await this.ping()
    await this.ping()
  }

  /** Breaks the connection without a close frame. */
  async cut(): Promise<void> {
    this.#ws.terminate()
    await this.#until(() => this.closed !== undefined, 'the end of the link')
  }

  /** Sends a close frame with this code. */
  close(code: number): void {
    this.#ws.close(code)
  }

  /** The session that it was given, if it was. */
  get sid(): string | undefined {
    return this.#hasSession ? /"sid":"([^"]+)"/.exec(this.lines[0] ?? '')?.[1] : undefined
  }

  /** Ends the subscriptions of its session, so that it blocks no other client, and closes. @returns whether it could */
  leave(): boolean {
    const isOpen = this.#ws.readyState === WebSocket.OPEN
    if (isOpen && this.#hasSession) {
      this.send(...Array.from({ length: LASTING_SUB_IDS }, (_, id) => `unsub ${id}`))
      this.#ws.close()
    }
    if (this.#ws.readyState !== WebSocket.CLOSING) this.#ws.terminate()
    else setTimeout(() => this.#ws.terminate(), CLOSE_MS).unref()
    return isOpen
  }

  /** No message was binary, empty or ended with a line feed. */
  expectTextOnly(): void {
    assert.deepEqual(this.#binary, [], 'Expected text messages only')
    assert.ok(!this.lines.includes(''), 'Expected no empty line')
  }

  get #hasSession(): boolean {
    return this.lines[0]?.startsWith('welcome {') === true
  }

  #read(data: Buffer, isBinary: boolean): void {
    this.largestMessage = Math.max(this.largestMessage, data.length)
    if (isBinary) this.#binary.push(data)
    let last: number | undefined
    for (const line of data.toString().split('\n')) {
      this.lines.push(line)
      const event = readEvent(line)
      if (event === undefined) continue
      this.events.push(event)
      last = event.offset
    }
    if (this.acknowledgesAtOnce && last !== undefined) this.send(`ack ${last}`)
  }

  #until(condition: () => boolean, what: string): Promise<void> {
    return this.#waiting.until(condition, what, () => this.#describe())
  }

  #describe(): string {
    const received = this.lines.slice(-5).map((line) => line.slice(0, 120))
    const end =
      this.closed === undefined ? 'open' : `closed ${this.closed.code} ${this.closed.reason}`
    return `the link is ${end}; the last of ${this.lines.length} lines: ${JSON.stringify(received)}`
  }
}
