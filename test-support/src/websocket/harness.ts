/** What the WebSocket scenarios share: a server and transports that dispose of themselves, and waiting for conditions. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createEvent,
  type Clock,
  type Event,
  type Feed,
  type Sink,
  type Timer,
  type TransportEvents,
} from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { startMockServer, type MockServer, type MockServerOptions } from '@bus/testing'
import {
  webSocketTransport,
  type WebSocketTransport,
  type WebSocketTransportOptions,
} from '@bus/websocket'
import { plainJson } from '@bus/websocket/protocol'
import { onTestFinished } from 'vitest'

/** A mock server that ends with the test. */
export async function serve(options: MockServerOptions = {}): Promise<MockServer> {
  const server = await startMockServer(options)
  onTestFinished(() => server.close())
  return server
}

/** A transport over the plain wire, unless told otherwise, with quick retries, that ends with the test. */
export function transportTo(
  target: { readonly url: string },
  options: Omit<WebSocketTransportOptions, 'url'> = {},
): WebSocketTransport {
  const reconnect = options.reconnect === false ? false : { backoff: () => 5, ...options.reconnect }
  const protocol = options.protocol ?? plainJson()
  const transport = webSocketTransport({ url: target.url, ...options, protocol, reconnect })
  onTestFinished(() => transport.close())
  return transport
}

/** Resolves when the condition holds; fails with what it was waiting for after `timeoutMs`. */
export async function until(
  condition: () => boolean,
  what: string,
  timeoutMs = 100_000,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not within ${timeoutMs} ms: ${what}`)
    await sleep(2)
  }
}

/** Cuts the link and resolves when the transport has seen it, even if the next link is ready by then. */
export async function cut(server: MockServer, transport: WebSocketTransport): Promise<void> {
  const { status } = transport
  const generation = status.state === 'ready' ? status.generation : Infinity
  server.faults.reset()
  await until(() => {
    const now = transport.status
    return now.state !== 'ready' || now.generation > generation
  }, 'the loss is seen')
}

/** Resolves when a figure has not changed for as many looks, a few milliseconds apart. */
export async function untilStill(
  figure: () => number,
  what: string,
  looks: number = 20,
): Promise<void> {
  let still = 0
  let last: number | undefined
  await until(() => {
    const now = figure()
    still = now === last ? still + 1 : 0
    last = now
    return still > looks
  }, what)
}

/** A sink that keeps what it gets. */
export class Collector implements Sink {
  readonly events: Event[] = []
  /** What `deliver` answers. */
  hasRoom = true

  deliver(event: Event): boolean {
    this.events.push(event)
    return this.hasRoom
  }

  get payloads(): unknown[] {
    return this.events.map((event) => event.payload)
  }
}

/** Subscribes a collector and waits until it is live. */
export async function collect(
  transport: WebSocketTransport,
  ...patterns: string[]
): Promise<Collector & { readonly feed: Feed }> {
  const sink = new Collector()
  const feed = transport.subscribe(patterns, sink)
  await feed.live
  return Object.assign(sink, { feed })
}

/** The plain wire's frame of an event, written by hand. */
export function frameOf(type: string, payload: unknown, id = `id-${type}`): string {
  return JSON.stringify({
    id,
    event_type: type,
    payload,
    metadata: { timestamp: '2026-01-02T03:04:05.000Z' },
  })
}

export function numbered(count: number, type = 'order.created'): Event[] {
  return Array.from({ length: count }, (_, n) => createEvent(type, { n }))
}

/** Everything that a transport tells, in order. */
export function record(transport: WebSocketTransport): Notice[] {
  const names = [
    'status',
    'open',
    'close',
    'error',
    'undeliverable',
    'backpressure',
    'ready',
    'breaker',
    'heartbeat-timeout',
    'subscriptions-restored',
    'subscriptions-failed',
  ] as const
  const notices: Notice[] = []
  for (const name of names) {
    transport.on(name, (notice) => notices.push({ name, notice } as Notice))
  }
  return notices
}

export type Notice = {
  [K in keyof TransportEvents]: { readonly name: K; readonly notice: TransportEvents[K] }
}[keyof TransportEvents]

/** The notices of one name. */
export function only<K extends keyof TransportEvents>(
  notices: readonly Notice[],
  name: K,
): TransportEvents[K][] {
  return notices.flatMap((n) => (n.name === name ? [n.notice as TransportEvents[K]] : []))
}

/** The states that were entered, in order. */
export function states(notices: readonly Notice[]): string[] {
  return only(notices, 'status').map(({ status }) => status.state)
}

/** How many sockets, timers and the like keep the process alive. */
export function resources(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) {
    if (/^(TCP|TLS|Timeout|GetAddrInfo|Immediate)/.test(name))
      counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** Resolves when no more resources are left than there were. */
export async function leavesNothing(before: Record<string, number>): Promise<void> {
  const isClean = (): boolean =>
    Object.entries(resources()).every(([name, n]) => n <= (before[name] ?? 0))
  await until(isClean, `resources back to ${JSON.stringify(before)}`)
}

/** A clock that runs faster than the machine's, and remembers what it was asked to wait for. */
export class FastClock implements Clock {
  readonly waits: number[] = []
  readonly #factor: number

  constructor(factor: number) {
    this.#factor = factor
  }

  now(): number {
    return systemClock.now() * this.#factor
  }

  setTimeout(run: () => void, ms: number): Timer {
    this.waits.push(ms)
    return systemClock.setTimeout(run, ms / this.#factor)
  }

  clearTimeout(timer: Timer): void {
    systemClock.clearTimeout(timer)
  }
}
