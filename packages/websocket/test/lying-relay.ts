/** A relay in front of a hub that changes what passes, line by line: a hub that breaks a rule. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'

/** One direction of one link: what becomes of a line. An empty list drops it. */
export type Rewrite = (line: string, link: LyingLink) => readonly string[]

/** What a relay does wrong. What is not given passes as it is. */
export interface Lie {
  /** What the client says. */
  readonly upstream?: Rewrite
  /** What the hub says. */
  readonly downstream?: Rewrite
  /** The close of the hub; `undefined` keeps the link to the client open. */
  readonly close?: (code: number, reason: string) => readonly [number, string] | undefined
  /** What it says as soon as a link is open. */
  readonly greeting?: string
}

/** One link, and what a lie remembers of it. */
export class LyingLink {
  readonly memory = new Map<string, string>()
  /** What a lie remembers of all links. */
  readonly shared: Map<string, string>

  constructor(shared: Map<string, string>) {
    this.shared = shared
  }
}

/** Listens until it is disposed of. */
export class LyingRelay implements AsyncDisposable {
  readonly #server: WebSocketServer
  readonly #target: string
  readonly #lie: Lie
  readonly #shared = new Map<string, string>()

  private constructor(target: string, lie: Lie) {
    this.#target = target
    this.#lie = lie
    this.#server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      autoPong: false,
      perMessageDeflate: false,
    })
    this.#server.on('headers', (headers) => headers.push('bus-protocol: bus.v1'))
    this.#server.on('connection', (client) => this.#join(client))
  }

  static async start(target: string, lie: Lie): Promise<LyingRelay> {
    const relay = new LyingRelay(target, lie)
    await once(relay.#server, 'listening')
    return relay
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #join(client: WebSocket): void {
    const hub = new WebSocket(this.#target, 'bus.v1', {
      autoPong: false,
      perMessageDeflate: false,
    })
    const link = new LyingLink(this.#shared)
    const { upstream = asItIs, downstream = asItIs, greeting } = this.#lie
    const waiting: (() => void)[] = []
    const whenOpen = (act: () => void): void => {
      if (hub.readyState === WebSocket.CONNECTING) waiting.push(act)
      else act()
    }
    hub.once('open', () => waiting.forEach((act) => act()))
    if (greeting !== undefined) client.send(greeting)
    client.on('message', (data: Buffer, binary) =>
      whenOpen(() => pass(hub, binary ? data : rewritten(data.toString(), upstream, link))),
    )
    hub.on('message', (data: Buffer) => pass(client, rewritten(data.toString(), downstream, link)))
    for (const [from, to] of [
      [client, hub],
      [hub, client],
    ] as const) {
      from.on('error', () => {})
      from.on('ping', (data) => whenOpen(() => to.ping(data)))
      from.on('pong', (data) => whenOpen(() => to.pong(data)))
    }
    client.on('close', (code) => whenOpen(() => (code === 1006 ? hub.terminate() : hub.close())))
    hub.on('close', (code, reason) => this.#hubClosed(client, code, reason.toString()))
  }

  #hubClosed(client: WebSocket, code: number, reason: string): void {
    const { close = (...as: [number, string]) => as } = this.#lie
    const said = close(code, reason)
    if (said === undefined) return
    if (said[0] === 1006 || said[0] === 1005) client.terminate()
    else client.close(...said)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

const asItIs: Rewrite = (line) => [line]

function rewritten(message: string, rewrite: Rewrite, link: LyingLink): string | undefined {
  const lines = message.split('\n').flatMap((line) => rewrite(line, link))
  return lines.length === 0 ? undefined : lines.join('\n')
}

function pass(to: WebSocket, data: Buffer | string | undefined): void {
  if (data !== undefined && to.readyState === WebSocket.OPEN) to.send(data)
}
