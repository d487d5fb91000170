/** Records everything that happens on a mock server, and waits for it. */
import { AssertionError } from 'node:assert'
import { describeMatcher, describeNearMisses, isMatch, type MessageMatcher } from './matcher.ts'
import type { MockConnection, MockMessage, MockRequest } from './mock-connection.ts'
import { assertInteger } from './options.ts'
import { DEFAULT_WAIT_MS, type WaitForOptions, type Waits } from '../waits.ts'

/** Which connection to wait for. */
export interface WaitForConnectionOptions extends WaitForOptions {
  /**
   * Its position among all connections since the start.
   * @default 0
   */
  readonly index?: number | undefined
}

/** Which messages may match. */
export interface WaitForMessageOptions extends WaitForOptions {
  /**
   * Only messages over this connection, or the one at this position.
   * @default undefined
   */
  readonly connection?: number | MockConnection | undefined
}

/** The record of a server. It is never emptied: a test may inspect all that happened, and is short. */
export class Capture<C extends MockConnection = MockConnection> {
  readonly connections: C[] = []
  readonly received: MockMessage[] = []
  readonly upgrades: MockRequest[] = []
  readonly errors: unknown[] = []
  readonly #waits: Waits

  constructor(waits: Waits) {
    this.#waits = waits
  }

  addConnection(connection: C): void {
    this.connections.push(connection)
    this.#waits.notify()
  }

  addMessage(message: MockMessage): void {
    this.received.push(message)
    this.#waits.notify()
  }

  addUpgrade(request: MockRequest): void {
    this.upgrades.push(request)
    this.#waits.notify()
  }

  /** Keeps what a test's own function throws, so that it breaks no connection. */
  guard(run: () => void | Promise<void>): void {
    const keep = (error: unknown): void => {
      this.errors.push(error)
      this.#waits.notify()
    }
    try {
      const result = run()
      if (result instanceof Promise) result.catch(keep)
    } catch (error) {
      keep(error)
    }
  }

  /** Resolves with a connection, also one that was made before the call. */
  waitForConnection(options: WaitForConnectionOptions = {}): Promise<MockConnection> {
    const { index = 0, timeoutMs = DEFAULT_WAIT_MS, signal } = options
    assertInteger('index', index, 0)
    return this.#waits.until(() => this.connections[index], {
      what: `connection ${index}`,
      timeoutMs,
      signal,
      details: () => `${this.connections.length} were made in ${this.upgrades.length} handshakes`,
    })
  }

  /** Resolves with the first message that matches, also one that came before the call. */
  waitForMessage(
    matcher: MessageMatcher,
    options: WaitForMessageOptions = {},
  ): Promise<MockMessage> {
    const { timeoutMs = DEFAULT_WAIT_MS, connection, signal } = options
    const index = typeof connection === 'object' ? connection.index : connection
    const eligible = (message: MockMessage): boolean =>
      index === undefined || message.connection === index
    let seen = 0
    const look = (): MockMessage | undefined => {
      for (; seen < this.received.length; seen++) {
        const message = this.received[seen]
        if (message !== undefined && eligible(message) && isMatch(matcher, message)) return message
      }
      return undefined
    }
    return this.#waits.until(look, {
      what: describeMatcher(matcher),
      timeoutMs,
      signal,
      details: () => describeNearMisses(matcher, this.received.filter(eligible)),
    })
  }

  /** Resolves when the condition is true; it is checked after everything that happens on this server. */
  async waitUntil(condition: () => boolean, options: WaitForOptions = {}): Promise<void> {
    const { timeoutMs = DEFAULT_WAIT_MS, signal } = options
    const look = (): true | undefined => (condition() ? true : undefined)
    await this.#waits.until(look, { what: 'a condition', timeoutMs, signal })
  }

  /** Throws unless a message that matches has come; the error lists what came close. */
  assertMessageSent(matcher: MessageMatcher): MockMessage {
    const found = this.received.find((message) => isMatch(matcher, message))
    if (found !== undefined) return found
    throw new AssertionError({
      message: `Expected ${describeMatcher(matcher)}: ${describeNearMisses(matcher, this.received)}`,
      actual: this.received.map((message) => message.data),
      expected: matcher,
      operator: 'assertMessageSent',
    })
  }
}
