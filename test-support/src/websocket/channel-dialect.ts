/** A dialect with subscriptions on the server, as a user would write one, and a server that speaks it. */
import { DecodeError, RejectedError } from '@bus/core'
import type { MockConnection, MockMessage, MockServer, MockServerOptions } from '@bus/testing'
import {
  plainJson,
  type Frame,
  type PlainProtocol,
  type ProtocolLink,
} from '@bus/websocket/protocol'
import { frameOf, serve } from './harness.ts'

interface Control {
  readonly op: 'auth' | 'sub' | 'unsub' | 'ok' | 'refused' | 'welcome'
  readonly id?: number
  readonly patterns?: readonly string[]
}

function controlOf(frame: Frame | MockMessage['data']): Control | undefined {
  const message = JSON.parse(String(frame)) as Partial<Control>
  return message.op === undefined ? undefined : (message as Control)
}

export interface DialectOptions {
  /** Authenticates with this before anything else. */
  readonly token?: string
  /** Waits for the server's greeting before that, as soon as this has resolved. */
  readonly greetedAfter?: () => Promise<unknown>
}

/** Events as on the plain wire, and requests that the server confirms or refuses by their id. */
export function channelDialect({ token, greetedAfter }: DialectOptions = {}): PlainProtocol {
  const plain = plainJson()
  let lastId = 0
  const request = async (link: ProtocolLink, message: Omit<Control, 'id'>): Promise<void> => {
    const id = ++lastId
    const answer = link.waitFor((frame) => {
      const control = controlOf(frame)
      return control?.id === id ? control : undefined
    })
    await link.send(JSON.stringify({ ...message, id }))
    if ((await answer).op === 'refused') throw new RejectedError(`The server refused ${message.op}`)
  }
  return {
    ...plain,
    name: 'channels',
    decode: (frame, receiver) => {
      if (controlOf(frame) === undefined) plain.decode(frame, receiver)
      else throw new DecodeError('An answer that nobody asked for')
    },
    ...(token === undefined && greetedAfter === undefined
      ? {}
      : {
          authenticate: async (link: ProtocolLink): Promise<void> => {
            if (greetedAfter !== undefined) {
              await greetedAfter()
              await link.waitFor((frame) => controlOf(frame)?.op === 'welcome' || undefined)
            }
            if (token !== undefined) await link.send(JSON.stringify({ op: 'auth', token }))
          },
        }),
    subscribe: (patterns, link) => request(link, { op: 'sub', patterns }),
    unsubscribe: (patterns, link) => request(link, { op: 'unsub', patterns }),
  }
}

/** Remembers what it was told, and answers as the test says. */
export class ChannelServer {
  readonly mock: MockServer
  /** What came, over all connections: `sub a b`, `unsub a`, `auth`, `event a`. */
  readonly log: string[] = []
  /** Patterns that are refused. */
  readonly refused: Set<string> = new Set()
  /** Answers are kept until {@link answer}. */
  isSilent = false
  readonly #unanswered: (() => void)[] = []
  readonly #subscribed = new Map<MockConnection, Set<string>>()

  constructor(mock: MockServer) {
    this.mock = mock
  }

  get url(): string {
    return this.mock.url
  }

  /** What the open connections are subscribed to. */
  get patterns(): string[] {
    return this.mock.live.flatMap((connection) => [...(this.#subscribed.get(connection) ?? [])])
  }

  /** Gives the answers that were kept, and those to come at once. */
  answer(): void {
    this.isSilent = false
    for (const send of this.#unanswered.splice(0)) send()
  }

  /** Sends an event to everybody. */
  emit(type: string, payload: unknown): void {
    this.mock.inject(frameOf(type, payload))
  }

  take(message: MockMessage, connection: MockConnection): void {
    const control = controlOf(message.data)
    if (control === undefined) {
      const { event_type: type } = JSON.parse(String(message.data)) as { event_type: string }
      this.log.push(`event ${type}`)
      return
    }
    const { op, id, patterns = [] } = control
    this.log.push([op, ...patterns].join(' '))
    if (op === 'auth') return
    const isRefused = op === 'sub' && patterns.some((pattern) => this.refused.has(pattern))
    const mine = this.#subscribed.get(connection) ?? new Set()
    this.#subscribed.set(connection, mine)
    for (const pattern of isRefused ? [] : patterns) {
      if (op === 'sub') mine.add(pattern)
      else mine.delete(pattern)
    }
    const send = (): void => void connection.send({ op: isRefused ? 'refused' : 'ok', id })
    if (this.isSilent) this.#unanswered.push(send)
    else send()
  }
}

/** A server of the dialect that ends with the test. */
export async function serveChannels(options: MockServerOptions = {}): Promise<ChannelServer> {
  const server: ChannelServer = new ChannelServer(
    await serve({ ...options, handler: (message, connection) => server.take(message, connection) }),
  )
  return server
}
