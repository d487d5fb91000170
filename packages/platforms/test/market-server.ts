/** A server of channels, which answers by request or by channel, and a dialect for each. */
import { frameOf, serve, transportTo } from '@bus/test-support/websocket'
import type { MockConnection, MockMessage, MockServer, MockServerOptions } from '@bus/testing'
import type { WebSocketTransport, WebSocketTransportOptions } from '@bus/websocket'
import { plainJson, type Frame, type PlainProtocol } from '@bus/websocket/protocol'
import { withChannels, type ChannelSubscriptionsOptions, type WithChannels } from '../src/index.ts'

interface Message {
  readonly op?: 'subscribe' | 'unsubscribe' | 'ok' | 'refused' | 'ended' | 'now'
  readonly id?: number
  readonly channels?: readonly string[]
  readonly channel?: string
  readonly why?: string
}

export type Style = 'by-request' | 'by-channel' | 'by-state'

const read = (frame: Frame): Message => JSON.parse(String(frame)) as Message

const ask =
  (op: string) =>
  (channels: readonly string[], { id }: { readonly id: number }): string =>
    JSON.stringify({ op, id, channels })

/** How the server is spoken to, whichever way it answers. */
export const marketOptions: ChannelSubscriptionsOptions = {
  subscribe: ask('subscribe'),
  unsubscribe: ask('unsubscribe'),
  answer: (frame) => {
    const { op, id, channel, channels, why } = read(frame)
    if (op === 'now') return { current: channels ?? [] }
    if (op !== 'ok' && op !== 'refused' && op !== 'ended') return undefined
    return {
      ...(id === undefined ? {} : { id }),
      ...(channel === undefined ? {} : { channels: [channel] }),
      ...(op === 'ok' ? {} : { error: why ?? 'no' }),
    }
  },
}

export type Market = PlainProtocol & WithChannels

export function marketTo(
  server: { readonly url: string },
  own: Partial<ChannelSubscriptionsOptions> = {},
  options: Omit<WebSocketTransportOptions, 'url' | 'protocol'> = {},
): { readonly transport: WebSocketTransport; readonly channels: Market['channels'] } {
  const protocol = withChannels(plainJson(), { ...marketOptions, ...own })
  return { transport: transportTo(server, { ...options, protocol }), channels: protocol.channels }
}

/** Remembers what it was asked, and answers as the test says. */
export class MarketServer {
  readonly mock: MockServer
  /** What came, over all connections: `subscribe a b`. */
  readonly log: string[] = []
  readonly refused = new Set<string>()
  /** Channels that get no answer. */
  readonly ignored = new Set<string>()
  readonly #style: Style
  readonly #has = new WeakMap<MockConnection, Set<string>>()

  constructor(mock: MockServer, style: Style) {
    this.mock = mock
    this.#style = style
  }

  get url(): string {
    return this.mock.url
  }

  /** What the open connections are subscribed to. */
  get channels(): string[] {
    return this.mock.live.flatMap((connection) => [...this.#of(connection)])
  }

  /** Sends a tick to everybody, whether they asked for it or not. */
  tick(channel: string, payload: unknown): void {
    this.mock.inject(frameOf(channel, payload))
  }

  take({ data }: MockMessage, connection: MockConnection): void {
    const { op, id, channels = [] } = read(data)
    this.log.push([op, ...channels].join(' '))
    const has = this.#of(connection)
    const isRefused = channels.some((channel) => this.refused.has(channel))
    for (const channel of channels) {
      if (op === 'unsubscribe') has.delete(channel)
      else if (!this.refused.has(channel)) has.add(channel)
    }
    if (channels.some((channel) => this.ignored.has(channel))) {
      if (this.#style !== 'by-channel') return
    }
    if (this.#style === 'by-state') connection.send({ op: 'now', channels: [...has] })
    else if (this.#style === 'by-request') {
      if (isRefused) for (const channel of channels) has.delete(channel)
      connection.send({ op: isRefused ? 'refused' : 'ok', id, why: 'no such channel' })
    } else this.#answerEach(channels, connection)
  }

  #answerEach(channels: readonly string[], connection: MockConnection): void {
    for (const channel of channels) {
      if (this.ignored.has(channel)) continue
      const isRefused = this.refused.has(channel)
      connection.send({ op: isRefused ? 'refused' : 'ok', channel, why: 'no such channel' })
    }
  }

  #of(connection: MockConnection): Set<string> {
    const known = this.#has.get(connection)
    const mine = known ?? new Set<string>()
    if (known === undefined) this.#has.set(connection, mine)
    return mine
  }
}

/** A server of channels that ends with the test. */
export async function serveMarket(
  style: Style = 'by-request',
  options: MockServerOptions = {},
): Promise<MarketServer> {
  const server: MarketServer = new MarketServer(
    await serve({ ...options, handler: (message, connection) => server.take(message, connection) }),
    style,
  )
  return server
}

/** Breaks the link and waits for the next one. */
export async function relink(server: MarketServer, transport: WebSocketTransport): Promise<void> {
  const links = server.mock.connections.length
  const ready = new Promise<void>((resolve) => {
    transport.on('open', () => resolve(), { once: true })
  })
  server.mock.faults.reset()
  await server.mock.waitForConnection({ index: links })
  await ready
}
