/** A WebSocket server for tests: it records all that it receives, sends literal frames, and fails on request. */
import type { Duplex } from 'node:stream'
import { ClosedError } from '@bus/core'
import { Capture, type WaitForConnectionOptions, type WaitForMessageOptions } from './capture.ts'
import { MockFaults, healthyLink, UpgradeFaults } from './faults.ts'
import { Listener } from './listener.ts'
import type { MessageMatcher } from './matcher.ts'
import type { MockConnection, MockData, MockMessage, MockRequest } from './mock-connection.ts'
import {
  assertInteger,
  type MockServerOptions,
  type ResolvedMockServerOptions,
  resolveOptions,
} from './options.ts'
import { ServerConnection, type Wire } from './server-connection.ts'
import { type Upgraded, Upgrader } from './upgrade.ts'
import { type WaitForOptions, Waits } from '../waits.ts'

/** How long a restart keeps the server down. */
export interface RestartOptions {
  /**
   * Milliseconds between the end of the last socket and listening again.
   * @default 0
   */
  readonly downMs?: number | undefined
  /**
   * Runs while nothing listens; the server comes back when it has settled.
   * @default undefined
   */
  readonly whileDown?: (() => void | Promise<void>) | undefined
  /** Ends the wait of `downMs`; the server stays down. */
  readonly signal?: AbortSignal | undefined
}

/** Starts a mock server; it listens when the promise resolves. */
export async function startMockServer(options?: MockServerOptions): Promise<MockServer> {
  const server = new MockServer(resolveOptions(options))
  await server.listen()
  return server
}

/** A running mock server. It outlives every fault that it produces, until `close`. */
export class MockServer implements AsyncDisposable {
  /** Its faults; see the table in the README. */
  readonly faults: MockFaults
  readonly #options: ResolvedMockServerOptions
  readonly #link = healthyLink()
  readonly #waits: Waits
  readonly #upgrader: Upgrader
  readonly #listener: Listener
  readonly #capture: Capture<ServerConnection>
  #port: number
  #closing: Promise<void> | undefined

  /** Takes options that are resolved; does not listen yet. Use `startMockServer`. */
  constructor(options: ResolvedMockServerOptions) {
    this.#options = options
    this.#port = options.port
    this.#waits = new Waits(options.clock)
    this.#capture = new Capture(this.#waits)
    const upgrades = new UpgradeFaults()
    this.faults = new MockFaults({ link: this.#link, upgrades, live: () => this.#live() })
    this.#upgrader = new Upgrader({
      options,
      link: this.#link,
      faults: upgrades,
      reset: (stream) => this.#listener.reset(stream),
      onOpen: (upgraded) => this.#open(upgraded),
      onAttempt: (request) => this.#capture.addUpgrade(request),
    })
    this.#listener = new Listener(options.tls, (incoming, stream, head) =>
      this.#upgrader.handle(incoming, stream, head),
    )
  }

  /** The port it listens on; the same after a restart. */
  get port(): number {
    return this.#port
  }

  /** Where clients connect: `ws://127.0.0.1:port/path`, or `wss`. */
  get url(): string {
    const { tls, host, path = '/' } = this.#options
    const name = host.includes(':') ? `[${host}]` : host
    return `${tls === undefined ? 'ws' : 'wss'}://${name}:${this.#port}${path}`
  }

  /** Every connection since the start, in order. */
  get connections(): readonly MockConnection[] {
    return this.#capture.connections
  }

  /** The connections that are open. */
  get live(): readonly MockConnection[] {
    return this.#live()
  }

  /** Every message since the start over all connections, in order of arrival. */
  get received(): readonly MockMessage[] {
    return this.#capture.received
  }

  /** Every handshake since the start, also those that were refused. */
  get upgrades(): readonly MockRequest[] {
    return this.#capture.upgrades
  }

  /** How many handshakes came since the start. */
  get upgradeAttempts(): number {
    return this.#capture.upgrades.length
  }

  /** What `handler` and `onConnection` threw. */
  get errors(): readonly unknown[] {
    return this.#capture.errors
  }

  /** Begins to listen. `startMockServer` has called it. */
  async listen(): Promise<void> {
    this.#port = await this.#listener.listen(this.#port, this.#options.host)
  }

  /** Resolves with a connection, also one that was made before the call. */
  waitForConnection(options?: WaitForConnectionOptions): Promise<MockConnection> {
    return this.#capture.waitForConnection(options)
  }

  /** Resolves with the first message that matches, also one that came before the call. */
  waitForMessage(matcher: MessageMatcher, options?: WaitForMessageOptions): Promise<MockMessage> {
    return this.#capture.waitForMessage(matcher, options)
  }

  /** Resolves when the condition is true; it is checked after everything that happens on this server. */
  waitUntil(condition: () => boolean, options?: WaitForOptions): Promise<void> {
    return this.#capture.waitUntil(condition, options)
  }

  /** Throws unless a message that matches has come; the error lists what came close. */
  assertMessageSent(matcher: MessageMatcher): MockMessage {
    return this.#capture.assertMessageSent(matcher)
  }

  /** Sends to all live connections. @returns how many */
  inject(data: MockData): number {
    return this.#live().filter((connection) => connection.send(data)).length
  }

  /** Closes all live connections with this code. @returns how many */
  disconnect(code = 1000, reason = ''): number {
    return this.#live().filter((connection) => connection.close(code, reason)).length
  }

  /** Ends the listener and every socket, then listens again on the same port. */
  async restart(options: RestartOptions = {}): Promise<void> {
    const { downMs = 0, whileDown, signal } = options
    assertInteger('downMs', downMs, 0)
    await this.#goDown()
    if (downMs > 0) await this.#waits.sleep(downMs, { what: 'the restart', signal })
    await whileDown?.()
    if (this.#closing === undefined) await this.listen()
    if (this.#closing === undefined) return
    await this.#listener.close() // `close` was called meanwhile, and wins
    throw new ClosedError('The mock server was closed')
  }

  /** Ends the listener, every socket and every wait. Calling it again changes nothing. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #end(): Promise<void> {
    this.#waits.close(new ClosedError('The mock server was closed'))
    await this.#goDown()
  }

  async #goDown(): Promise<void> {
    for (const connection of this.#capture.connections) connection.terminate()
    await this.#listener.close()
    await Promise.all(this.#capture.connections.map((connection) => connection.ended))
  }

  #live(): readonly ServerConnection[] {
    return this.#capture.connections.filter((connection) => connection.isOpen)
  }

  #open({ socket, stream, request, closeWith }: Upgraded): void {
    const connection = new ServerConnection({
      index: this.#capture.connections.length,
      request,
      socket,
      wire: wireOf(stream, () => this.#listener.reset(stream)),
      link: this.#link,
      clock: this.#options.clock,
      waits: this.#waits,
      onMessage: (message, from) => this.#take(message, from),
    })
    this.#capture.addConnection(connection)
    const { onConnection } = this.#options
    if (onConnection !== undefined) this.#capture.guard(() => onConnection(connection))
    if (closeWith !== undefined) connection.close(closeWith.code, closeWith.reason)
  }

  #take(message: MockMessage, connection: MockConnection): void {
    this.#capture.addMessage(message)
    const { handler } = this.#options
    if (handler === 'echo') connection.send(message.data)
    else if (handler !== undefined) this.#capture.guard(() => handler(message, connection))
  }
}

function wireOf(stream: Duplex, reset: () => void): Wire {
  return {
    write: (bytes) => stream.write(bytes),
    onError: (listener) => stream.on('error', listener),
    reset,
  }
}
