/** A hub that speaks literal lines, word by word as the test says, so that no mistake of our own hub can hide one of the client. */
import type { MockConnection, MockServer, MockServerOptions } from '@bus/testing'
import { serve, until } from './harness.ts'

/** The JSON of a `hello`, as it came. */
export interface SaidHello {
  readonly v: number
  readonly sid?: string
  readonly epoch?: string
  readonly offset?: number
  readonly subs: readonly { readonly id: number; readonly pattern: string; readonly mode: string }[]
}

export interface LiteralHubOptions {
  /** Members of the welcome, besides the plainest one. `undefined`: no welcome. */
  readonly welcome?: (hello: SaidHello, index: number) => object | undefined
  /** Answers to every line but the hello. @default `ok` to each numbered event, `subok` to each subscription */
  readonly answer?: (line: string, index: number) => string | undefined
  readonly server?: MockServerOptions
}

/** Keeps every line of every connection. */
export class LiteralHub {
  readonly server: MockServer
  /** By connection. */
  readonly said: string[][] = []
  readonly hellos: SaidHello[] = []

  constructor(server: MockServer) {
    this.server = server
  }

  get url(): string {
    return this.server.url
  }

  /** The connection that came last. */
  get latest(): MockConnection {
    const connection = this.server.connections.at(-1)
    if (connection === undefined) throw new Error('Nobody has connected')
    return connection
  }

  /** The lines with this verb, without it, over all connections or one. */
  heard(verb: string, index?: number): string[] {
    const lines = index === undefined ? this.said.flat() : (this.said[index] ?? [])
    return lines.filter((line) => line.startsWith(`${verb} `)).map((l) => l.slice(verb.length + 1))
  }

  /** The ids of the events that came, with verb and number. */
  events(index?: number): string[] {
    const lines = index === undefined ? this.said.flat() : (this.said[index] ?? [])
    return lines
      .filter((line) => /^(?:pub|rep) /.test(line))
      .map((line) => {
        const [verb, n, , id] = line.split(' ')
        return `${verb} ${n} ${id}`
      })
  }

  say(...lines: string[]): void {
    this.latest.send(lines.join('\n'))
  }

  /** Resolves when so many have been welcomed. */
  async welcomed(count: number): Promise<void> {
    await until(() => this.hellos.length >= count, `${count} welcomes, not ${this.hellos.length}`)
  }

  /** Resolves when so many lines with this verb have come. */
  async hears(verb: string, count = 1): Promise<string[]> {
    const what = (): string => `${count} lines ${verb}, not ${this.heard(verb).length}`
    await until(() => this.heard(verb).length >= count, what())
    return this.heard(verb)
  }
}

/** The welcome that says least. */
const WELCOME = {
  sid: 'sid-1',
  resumed: false,
  last: 0,
  epoch: 'epoch-1',
  head: 0,
  limits: {
    maxEventBytes: 262_144,
    maxLineBytes: 1_048_576,
    window: { events: 16_384, bytes: 8_388_608 },
    ackMs: 10,
  },
  heartbeatMs: 25_000,
  subs: [],
  gaps: [],
} as const

/** The welcome's limits with some of them changed. */
export function limitsOf(change: object): { readonly limits: object } {
  return { limits: { ...WELCOME.limits, ...change } }
}

/** Starts a hub that ends with the test. */
export async function startLiteralHub(options: LiteralHubOptions = {}): Promise<LiteralHub> {
  const { answer = confirm, welcome = () => ({}) } = options
  const server = await serve({
    subprotocols: ['bus.v1'],
    headers: { 'bus-protocol': 'bus.v1' },
    handler: (message, connection) => {
      const lines = message.text.split('\n')
      ;(hub.said[connection.index] ??= []).push(...lines)
      const answers = lines.flatMap((line) => {
        if (!line.startsWith('hello ')) return answer(line, connection.index) ?? []
        const hello = JSON.parse(line.slice(6)) as SaidHello
        const said = welcome(hello, hub.hellos.push(hello) - 1)
        if (said === undefined) return []
        const subs = hello.subs.map(({ id }) => ({ id, offset: 0 }))
        return `welcome ${JSON.stringify({ ...WELCOME, subs, ...said })}`
      })
      if (answers.length > 0) connection.send(answers.join('\n'))
    },
    ...options.server,
  })
  const hub = new LiteralHub(server)
  return hub
}

/** What a hub without any trouble answers. */
export function confirm(line: string): string | undefined {
  const [verb, number] = line.split(' ')
  if ((verb === 'pub' || verb === 'rep') && number !== '-') return `ok ${number}`
  return verb === 'sub' ? `subok ${number} 0` : undefined
}

/** The line of an event. */
export function ev(offset: number, payload: unknown, type = 'order.created', verb = 'ev'): string {
  const body = JSON.stringify({ payload, metadata: { timestamp: 1, source: 's' } })
  return `${verb} ${offset} ${type} id-${offset} ${body}`
}
