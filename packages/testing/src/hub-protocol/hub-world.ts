/** The world of one case: clients of the hub, and names that no other case uses. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { CaseWaits } from '../conformance/world/waiting.ts'
import { helloLine, type HelloMembers, subOf } from './lines.ts'
import type { HubProtocolOptions } from './options.ts'
import { RawLink } from './raw-link.ts'
import { WireClient } from './wire-client.ts'

/** Closed after its case. */
export class HubWorld {
  readonly options: HubProtocolOptions
  readonly waiting: CaseWaits
  readonly #prefix: string
  readonly #clients: WireClient[] = []
  readonly #plain: PlainClient[] = []
  readonly #links: RawLink[] = []

  constructor(options: HubProtocolOptions, caseId: string) {
    this.options = options
    const { expectMs = 5_000, quietMs = 150 } = options.timing ?? {}
    this.waiting = new CaseWaits({ expectMs, quietMs })
    // Other runs may have left events in the log.
    const run = Math.floor(Math.random() * 2 ** 40).toString(36)
    this.#prefix = `${caseId.toLowerCase()}-${run}`
  }

  /** A type or a pattern that belongs to this case alone. */
  type(name: string): string {
    return `${this.#prefix}.${name}`
  }

  /** Opens a connection that offers `bus.v1` and sends nothing yet. */
  async dial(headers: Readonly<Record<string, string>> = {}): Promise<WireClient> {
    const client = await WireClient.open(this.options.url, headers, this.waiting)
    this.#clients.push(client)
    return client
  }

  /** Connects, sends `hello` and waits for the welcome. */
  async openSession(members: HelloMembers = {}): Promise<WireClient> {
    const client = await this.dial()
    client.send(this.hello(members))
    await client.line('welcome ')
    return client
  }

  /** A `hello` with the token that is good, unless the members have one. */
  hello(members: HelloMembers = {}): string {
    const token = this.options.credentials?.token
    return helloLine(token === undefined ? members : { token, ...members })
  }

  /** A subscriber that acknowledges everything at once. */
  async reader(pattern: string, members: HelloMembers = {}): Promise<WireClient> {
    const client = await this.dial()
    client.acknowledgesAtOnce = true
    client.send(this.hello({ subs: [subOf(1, pattern)], ...members }))
    await client.line('welcome ')
    return client
  }

  /** Connects without a subprotocol. */
  async plain(): Promise<PlainClient> {
    const client = await PlainClient.open(this.options.url, this.waiting)
    this.#plain.push(client)
    return client
  }

  /** A link that writes its own frames, behind its handshake. */
  async raw(): Promise<RawLink> {
    const { link } = await this.handshake(['Sec-WebSocket-Protocol: bus.v1'])
    return link
  }

  /** A handshake with these header lines, and the head of its answer. @param query - with its question mark */
  async handshake(
    headers: readonly string[],
    query = '',
  ): Promise<{ readonly link: RawLink; readonly head: string }> {
    const url = new URL(`${this.options.url}${query}`)
    const opened = await RawLink.open(url, headers, this.waiting)
    this.#links.push(opened.link)
    return opened
  }

  /** Ends everything. Sessions are left without subscriptions: the hub would keep for a while what they need. */
  async close(): Promise<void> {
    const sids = new Set(this.#clients.flatMap(({ sid }) => sid ?? []))
    for (const client of this.#clients) {
      if (client.leave() && client.sid !== undefined) sids.delete(client.sid)
    }
    for (const end of [...this.#plain, ...this.#links]) end.end()
    for (const sid of sids) await this.#abandon(sid)
  }

  /** Gives up the subscriptions of a session that has no link any more. */
  async #abandon(sid: string): Promise<void> {
    try {
      const client = await this.openSession({ sid })
      client.leave()
    } catch {
      // A failure of the hub is reported by the cases.
    }
  }
}

/** Belongs to its case. */
export class PlainClient {
  readonly frames: string[] = []
  readonly #ws: WebSocket
  readonly #waiting: CaseWaits

  private constructor(ws: WebSocket, waiting: CaseWaits) {
    this.#ws = ws
    this.#waiting = waiting
    ws.on('error', () => {})
    ws.on('message', (data: Buffer) => this.frames.push(data.toString()))
  }

  static async open(url: string, waiting: CaseWaits): Promise<PlainClient> {
    const ws = new WebSocket(url, { perMessageDeflate: false })
    const client = new PlainClient(ws, waiting)
    await waiting.soon(once(ws, 'open'), 'an open connection')
    return client
  }

  send(text: string): void {
    this.#ws.send(text)
  }

  /** Resolves with the first frame that contains the text. */
  async frame(text: string): Promise<string> {
    const found = (): string | undefined => this.frames.find((frame) => frame.includes(text))
    await this.#waiting.until(() => found() !== undefined, `a frame with ${text}`)
    return found() ?? ''
  }

  end(): void {
    this.#ws.terminate()
  }
}
