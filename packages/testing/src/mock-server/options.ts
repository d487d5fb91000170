/** The options of the mock server. */
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { type Clock, ConfigError } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import type { MockConnection, MockMessage } from './mock-connection.ts'

/** What the server does with each message. */
export type MockHandler = (message: MockMessage, connection: MockConnection) => void | Promise<void>

/** The server's certificate, PEM. */
export interface MockTlsOptions {
  readonly key: string | Buffer
  readonly cert: string | Buffer
  /** Who may have signed the clients' certificates. */
  readonly ca?: string | Buffer | undefined
  /**
   * Refuses clients without a certificate that `ca` signed.
   * @default false
   */
  readonly requestCert?: boolean | undefined
}

/** How the mock server behaves from its start. */
export interface MockServerOptions {
  /**
   * Where to listen; 0 takes a free port.
   * @default 0
   */
  readonly port?: number | undefined
  /**
   * The address to listen on, and the host of `server.url`.
   * @default '127.0.0.1'
   */
  readonly host?: string | undefined
  /**
   * The only path that is served, others get 404. Without it every path is.
   * @default undefined
   */
  readonly path?: string | undefined
  /**
   * Serves `wss` with this certificate.
   * @default undefined
   */
  readonly tls?: MockTlsOptions | undefined
  /**
   * What to do with each message, after it was captured. `'echo'` sends it back, text as text and binary as binary.
   * What a handler throws is kept in `server.errors`.
   * @default undefined
   */
  readonly handler?: 'echo' | MockHandler | undefined
  /**
   * Called for each connection once it is open, before its first message.
   * @default undefined
   */
  readonly onConnection?: ((connection: MockConnection) => void | Promise<void>) | undefined
  /**
   * Which subprotocol to agree on: the first offered one of a list, or what a function answers, which may be one that
   * was never offered. Without it the first offered one.
   * @default undefined
   */
  readonly subprotocols?:
    | (readonly string[] | ((offered: readonly string[]) => string | false))
    | undefined
  /**
   * Accepts compression if the client offers it.
   * @default false
   */
  readonly perMessageDeflate?: boolean | undefined
  /**
   * More headers for the answer to a handshake that is accepted.
   * @default {}
   */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Where delays and deadlines come from.
   * @default systemClock
   */
  readonly clock?: Clock | undefined
}

/** The options with their defaults. */
export type ResolvedMockServerOptions = Pick<MockServerOptions, Optional> & {
  readonly [K in Exclude<keyof MockServerOptions, Optional>]-?: NonNullable<MockServerOptions[K]>
}
type Optional = 'path' | 'tls' | 'handler' | 'onConnection' | 'subprotocols'

const defaults = Object.freeze({
  port: 0,
  host: '127.0.0.1',
  perMessageDeflate: false,
  headers: Object.freeze({}),
  clock: systemClock,
})

const checks: {
  readonly [K in keyof Required<MockServerOptions>]: readonly [string, (value: unknown) => boolean]
} = {
  port: ['to be an integer from 0 to 65535', (v) => isInteger(v) && v >= 0 && v <= 65_535],
  host: ['to be a host name or address', (v) => typeof v === 'string' && v !== ''],
  path: [
    'to be a path that begins with `/` and has no query',
    (v) => typeof v === 'string' && /^\/[^?#\s]*$/.test(v),
  ],
  tls: [
    'to be an object with `key` and `cert`',
    (v) => isRecord(v) && isPem(v['key']) && isPem(v['cert']),
  ],
  handler: ["to be 'echo' or a function", (v) => v === 'echo' || typeof v === 'function'],
  onConnection: ['to be a function', (v) => typeof v === 'function'],
  subprotocols: [
    'to be an array of strings or a function',
    (v) => typeof v === 'function' || (Array.isArray(v) && v.every((n) => typeof n === 'string')),
  ],
  perMessageDeflate: ['to be a boolean', (v) => typeof v === 'boolean'],
  headers: ['to be valid header names with string values', isHeaders],
  clock: ['to be a clock', (v) => isRecord(v) && typeof v['setTimeout'] === 'function'],
}

/** Checks the options and fills in the defaults. Throws `ConfigError`. */
export function resolveOptions(options: MockServerOptions = {}): ResolvedMockServerOptions {
  if (!isRecord(options)) throw ConfigError.expected('options', 'to be an object', options)
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name as keyof MockServerOptions] : undefined
    if (check === undefined) {
      const known = Object.keys(checks).join(', ')
      throw new ConfigError(name, `Unknown option \`${name}\`; there are ${known}`)
    }
    if (value !== undefined && !check[1](value)) {
      throw ConfigError.expected(name, check[0], value)
    }
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined))
  return Object.freeze({ ...defaults, ...given })
}

/** Throws unless the value is an integer in the range. */
export function assertInteger(path: string, value: unknown, min: number, max?: number): void {
  if (isInteger(value) && value >= min && value <= (max ?? Infinity)) return
  const form = max === undefined ? `≥ ${min}` : `from ${min} to ${max}`
  throw ConfigError.expected(path, `to be an integer ${form}`, value)
}

/** Throws unless the headers could stand in an answer. */
export function assertHeaders(path: string, value: unknown): void {
  if (!isHeaders(value)) throw ConfigError.expected(path, checks.headers[0], value)
}

function isHeaders(value: unknown): boolean {
  if (!isRecord(value)) return false
  try {
    for (const [name, text] of Object.entries(value)) {
      if (typeof text !== 'string') return false
      validateHeaderName(name)
      validateHeaderValue(name, text)
    }
    return true
  } catch {
    return false
  }
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPem(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || Buffer.isBuffer(value)
}
