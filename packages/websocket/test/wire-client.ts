/** A bare client of the hub that speaks literal lines, so that no mistake of our own client can hide one of the hub. */
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { expect, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { until } from './harness.ts'

interface SaidWelcome {
  readonly sid: string
  readonly resumed: boolean
  readonly last: number
  readonly refused: readonly (readonly [number, string])[]
  readonly epoch: string
  readonly head: number
  readonly limits: {
    readonly window: { readonly events: number; readonly bytes: number }
    readonly okMs: number
  }
  readonly subs: readonly {
    readonly id: number
    readonly offset?: number
    readonly code?: string
  }[]
  readonly gaps: readonly { readonly from: number; readonly to: number; readonly why: string }[]
}

/** Keeps every line that it gets, and ends with the test. */
export class WireClient {
  readonly ws: WebSocket
  /** Lines, in the order of the wire; a message may hold several. */
  readonly lines: string[] = []
  /** How many messages the lines came in. */
  messages = 0
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('error', () => {})
    ws.on('message', (data: Buffer, isBinary) => {
      expect(isBinary).toBe(false)
      this.messages++
      this.lines.push(...data.toString().split('\n'))
    })
    this.closed = new Promise((resolve) => {
      ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    onTestFinished(() => ws.terminate())
  }

  say(...lines: string[]): void {
    this.ws.send(lines.join('\n'))
  }

  /** The lines with this verb, without it. */
  heard(verb: string): string[] {
    const start = `${verb} `
    return this.lines.filter((line) => line.startsWith(start)).map((l) => l.slice(start.length))
  }

  /** The `welcome`. */
  get welcome(): SaidWelcome {
    const [first = ''] = this.lines
    if (!first.startsWith('welcome ')) throw new Error(`The first line is: ${first.slice(0, 80)}`)
    return JSON.parse(first.slice('welcome '.length)) as SaidWelcome
  }

  /** Offsets of the events that came. */
  get offsets(): number[] {
    return [...this.heard('ev'), ...this.heard('rv')]
      .map((line) => Number(line.split(' ', 1)[0]))
      .toSorted((a, b) => a - b)
  }

  /** The payloads of the events that came, in the order of the wire. */
  get payloads(): unknown[] {
    return this.lines
      .filter((line) => /^[er]v /.test(line))
      .map((line) => (JSON.parse(line.slice(line.indexOf('{'))) as { payload: unknown }).payload)
  }

  /** Resolves with the first line that begins so, now or later. */
  async line(start: string): Promise<string> {
    await until(() => this.lines.some((line) => line.startsWith(start)), `a line ${start}`)
    return this.lines.find((line) => line.startsWith(start)) ?? ''
  }

  /** Resolves when so many events came. */
  async events(count: number): Promise<void> {
    await until(() => this.offsets.length >= count, `${count} events, not ${this.offsets.length}`)
  }

  /** Resolves when the hub has worked through everything that this client said before. */
  async settled(): Promise<void> {
    const pong = once(this.ws, 'pong')
    this.ws.ping()
    await pong
    // The answers of a turn leave after its pong.
    const again = once(this.ws, 'pong')
    this.ws.ping()
    await again
  }
}

/** Opens a connection that offers `bus.v1` and says nothing yet. */
export async function dial(
  hub: { readonly url: string },
  headers: IncomingHttpHeaders = {},
): Promise<WireClient> {
  const ws = new WebSocket(hub.url, 'bus.v1', { perMessageDeflate: false, headers })
  const client = new WireClient(ws)
  await once(ws, 'open')
  expect(ws.protocol).toBe('bus.v1')
  return client
}

/** Connects and waits for the welcome. */
export async function greet(
  hub: { readonly url: string },
  hello: object = {},
  headers: IncomingHttpHeaders = {},
): Promise<WireClient> {
  const client = await dial(hub, headers)
  client.say(`hello ${JSON.stringify({ v: 1, subs: [], ...hello })}`)
  await client.line('welcome ')
  return client
}

/** The line of an event. */
export function pub(n: number | '-', payload: unknown, type = 'order.created'): string {
  const body = JSON.stringify({ payload, metadata: { timestamp: 1 } })
  return `pub ${n} ${type} id-${n} ${body}`
}

/** The lines of events with consecutive numbers, whose payloads are the numbers. */
export function pubs(from: number, to: number, type?: string): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => pub(from + i, from + i, type))
}

/** One subscription of a `hello`. */
export function sub(
  id: number,
  pattern: string,
  mode: 'amo' | 'alo' = 'alo',
  from?: number,
): object {
  return { id, pattern, mode, ...(from === undefined ? {} : { from }) }
}
