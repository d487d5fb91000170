/** Dialing: one attempt to open one connection, under one absolute deadline. */

import { STATUS_CODES, type IncomingMessage } from 'node:http'
import { createSecureContext, type ConnectionOptions, type SecureContextOptions } from 'node:tls'
import {
  AbortedError,
  BootstrapError,
  BusError,
  ConfigError,
  ConnectionError,
  HandshakeError,
  ProtocolError,
  type Clock,
} from '@bus/core'
import { redactUrl, withDeadline } from '@bus/core/kit'
import { WebSocket, type ClientOptions } from 'ws'
import type { Protocol } from '../../protocol/protocol.ts'
import { Link, type CloseInfo, type LinkPorts } from './link.ts'
import { checkHeaders, checkUrl, isSecure, refuseInsecure, scrubber } from '../options/endpoint.ts'
import type {
  AttemptContext,
  Headers,
  ResolvedOptions,
  TlsOptions,
  UrlFactory,
} from '../options/options.ts'
import { tls as checkTls } from '../options/resolve-options.ts'
import { isBadFrame } from '../../socket/socket-port.ts'

/** What ws 8.23 takes and its types do not know yet. */
interface WsLimits {
  readonly maxFragments: number
  readonly maxBufferedChunks: number
  readonly maxPendingAutoPongs: number
  readonly closeTimeout: number
}

/** Limits of ws that a client leaves at values an honest server never meets; see the ws advisories on fragments. */
const MIN_FRAGMENTS = 1_024
/** Bytes that one more fragment costs, whatever is in it: they count like those of the message, so that its size bounds both. */
const FRAGMENT_BYTES = 64
const MAX_BUFFERED_CHUNKS = 16_384
/** Pongs that wait for a server that pings and does not read; beyond that the link is cut. */
const MAX_PENDING_PONGS = 60
/** Statuses with which servers refuse a request for subprotocols that they do not know. */
const UNKNOWN_SUBPROTOCOL = new Set([400, 426])
/** What ws says of a server that accepts none of the subprotocols. */
const NO_SUBPROTOCOL = 'Server sent no subprotocol'
/** How much of a refusing answer's body is kept for the error. */
const MAX_BODY_BYTES = 4_096
/** How long it is waited for. */
const MAX_BODY_MS = 1_000

/** The options of one attempt, with what functions of the application have made for it. */
interface AttemptOptions extends ResolvedOptions {
  readonly url: string
  readonly headers: Headers
  readonly tls: TlsOptions | undefined
}

/** Which attempt it is. */
export interface Attempt {
  /** 1 for the first since the last stable connection. */
  readonly attempt: number
  /** Which URL of a list it goes to, from 0; beyond the last one they begin anew. */
  readonly turn: number
}

/**
 * Opens a connection. The deadline covers the functions for URL, certificates and headers, DNS, TCP, TLS and the upgrade: ws's own
 * `handshakeTimeout` is an idle timer, which a server that answers a byte at a time never trips.
 */
export async function dial(
  options: ResolvedOptions,
  protocol: Protocol,
  { attempt, turn }: Attempt,
  signal: AbortSignal,
  ports: LinkPorts,
): Promise<Link> {
  const { url } = options
  // Not empty: that was checked.
  const chosen = typeof url === 'object' ? (url[turn % url.length] as string) : url
  let link: Link | undefined
  try {
    return await withDeadline(
      async (inner) => {
        const own = await attemptOptions(options, chosen, { attempt, signal: inner })
        const make = (socket: WebSocket): Link =>
          new Link(socket, own, ports, own.watch?.watch(own.url))
        return (link = await open(own, protocol, inner, make))
      },
      {
        timeoutMs: options.timeouts.connectMs,
        signal,
        clock: options.clock,
        what: typeof chosen === 'string' ? `Connecting to ${redactUrl(chosen)}` : 'Connecting',
      },
    )
  } catch (error) {
    // Aborted in the moment of success: nothing else would ever close it.
    link?.terminate()
    throw error
  }
}

/** Calls what the options have as functions, the URL first. */
async function attemptOptions(
  options: ResolvedOptions,
  chosen: string | UrlFactory,
  context: AttemptContext,
): Promise<AttemptOptions> {
  const url = await made('url', chosen, context, (value) => retryable(() => checkUrl(value)))
  const tls = await made<TlsOptions | undefined>('tls', options.tls, context, (value) =>
    // Without any, the well-known authorities would be trusted instead.
    retryable(() => checkTls('tls', value ?? null)),
  )
  const headers = await made('headers', options.headers, context, checkHeaders)
  const own = { ...options, url, tls, headers }
  refuseInsecure(own)
  return own
}

/** The option, or what its function makes of it for this attempt. */
async function made<T>(
  name: string,
  option: NoInfer<T> | Factory,
  context: AttemptContext,
  accept: (value: unknown) => T,
): Promise<T> {
  if (!isFactory(option)) return option
  let value: unknown
  try {
    value = await option(context)
  } catch (cause) {
    throw new BootstrapError(`The function \`${name}\` failed`, { cause })
  }
  return accept(value)
}

type Factory = (context: AttemptContext) => unknown

function isFactory(option: unknown): option is Factory {
  return typeof option === 'function'
}

/** A wrong value that a function gave may be right the next time, other than one that stands in the options. */
function retryable<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw new BootstrapError((error as Error).message)
  }
}

function open(
  options: AttemptOptions,
  protocol: Protocol,
  signal: AbortSignal,
  makeLink: (socket: WebSocket) => Link,
): Promise<Link> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new AbortedError('Connecting', { cause: signal.reason }))
      return
    }
    const ws = construct(options, protocol)
    const link = makeLink(ws)
    let refusal: Error | undefined
    let answer: IncomingMessage | undefined
    const giveUp = (): void => {
      signal.removeEventListener('abort', giveUp)
      reject(new AbortedError('Connecting', { cause: signal.reason }))
      ws.terminate()
    }
    signal.addEventListener('abort', giveUp, { once: true })
    ws.once('upgrade', (response) => {
      answer = response
    })
    ws.once('open', () => {
      signal.removeEventListener('abort', giveUp)
      const handshake = { subprotocol: ws.protocol, headers: answer?.headers ?? {} }
      if (protocol.accepts?.(handshake) ?? true) {
        resolve(link)
        return
      }
      ws.terminate()
      reject(noSubprotocol(options.url, new Error(NO_SUBPROTOCOL)))
    })
    ws.once('unexpected-response', (request, response) => {
      void readRefusal(response, options.clock, scrubber(options.url, options.headers)).then(
        (error) => {
          refusal = error
          // Whoever listens to this event owns the request: not ending it would leave it connecting for ever.
          response.destroy()
          request.destroy()
          signal.removeEventListener('abort', giveUp)
          reject(error)
          ws.terminate()
        },
      )
    })
    ws.once('error', (error) => {
      signal.removeEventListener('abort', giveUp)
      reject(refusal ?? toDialError(error, options.url))
    })
  })
}

function construct(options: AttemptOptions, protocol: Protocol): WebSocket {
  const clientOptions: ClientOptions & WsLimits = {
    ...(isSecure(options.url) ? secure(options.tls) : {}),
    headers: { ...options.headers },
    ...(options.agent === undefined ? {} : { agent: options.agent }),
    followRedirects: false,
    maxPayload: options.maxMessageBytes,
    maxFragments: Math.max(MIN_FRAGMENTS, Math.floor(options.maxMessageBytes / FRAGMENT_BYTES)),
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
    maxPendingAutoPongs: MAX_PENDING_PONGS,
    perMessageDeflate: options.compression,
    closeTimeout: options.timeouts.closeMs,
  }
  const subprotocols = new Set([...protocol.subprotocols, ...options.protocols])
  try {
    return new WebSocket(options.url, [...subprotocols], clientOptions)
  } catch (error) {
    throw refusedByNode(error as NodeJS.ErrnoException)
  }
}

/** Names the option that Node does not take. Without its error: that can quote a header. */
function refusedByNode({ code, name }: NodeJS.ErrnoException): ConfigError {
  const path = name === 'SyntaxError' ? 'protocol.subprotocols' : 'headers'
  const form = `Expected \`${path}\` to be valid HTTP`
  return new ConfigError(path, `${form}, Node refused with ${code ?? name}`)
}

/** Made here and not by Node while it connects, where a key that does not open looks like a failed connection. */
function secure(
  tls: TlsOptions | undefined,
): ClientOptions & Pick<ConnectionOptions, 'secureContext' | 'ALPNProtocols'> {
  try {
    // HTTP/1.1, because a server that also speaks HTTP/2 must not choose that.
    const secureContext = createSecureContext(tls as SecureContextOptions | undefined)
    return { ...(tls as ClientOptions | undefined), secureContext, ALPNProtocols: ['http/1.1'] }
  } catch (error) {
    const form = 'Expected `tls` to hold certificates and keys that fit'
    throw new ConfigError('tls', `${form}, OpenSSL says: ${(error as Error).message}`)
  }
}

async function readRefusal(
  response: IncomingMessage,
  clock: Clock,
  scrub: (text: string) => string,
): Promise<HandshakeError> {
  const status = response.statusCode ?? 0
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    // Cookies of the refusing server are secrets.
    if (value !== undefined && name !== 'set-cookie') headers[name] = scrub(String(value))
  }
  const body = await readBody(response, clock)
  const after = retryAfterMs(headers, Date.now())
  return new HandshakeError({
    status,
    headers,
    body: body === '' ? (STATUS_CODES[status] ?? '') : scrub(body),
    ...(after === undefined ? {} : { retryAfterMs: after }),
  })
}

/** The first kilobytes of the body. The status is what matters: a body that does not end is not waited for. */
async function readBody(response: IncomingMessage, clock: Clock): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  const timer = clock.setTimeout(() => response.destroy(), MAX_BODY_MS)
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer)
      size += (chunk as Buffer).length
      if (size >= MAX_BODY_BYTES) break
    }
  } catch {
    // A body that breaks off says no less than the part that came.
  } finally {
    clock.clearTimeout(timer)
  }
  return Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString()
}

function toDialError(error: Error, url: string): BusError {
  if (error instanceof BusError) return error
  if (/subprotocol/i.test(error.message)) return noSubprotocol(url, error)
  // Both address families failed: the outer message may be empty.
  const inner = error instanceof AggregateError ? (error.errors as Error[]) : [error]
  const codes = inner.map((e) => (e as NodeJS.ErrnoException).code ?? e.message).join(', ')
  return new ConnectionError(`Could not connect to ${redactUrl(url)}: ${codes}`, { cause: error })
}

function noSubprotocol(url: string, cause: Error): ProtocolError {
  const message = `The server at ${redactUrl(url)} speaks none of the subprotocols`
  return new ProtocolError(message, { cause })
}

/** How a server refused what it was offered: it took the connection and none of the subprotocols, or may not have liked them. */
export function refusalOfSubprotocols(error: unknown): 'certain' | 'possible' | undefined {
  if (error instanceof HandshakeError) {
    return UNKNOWN_SUBPROTOCOL.has(error.status) ? 'possible' : undefined
  }
  const { cause } = error as { readonly cause?: unknown }
  const isIgnored = error instanceof ProtocolError && (cause as Error).message === NO_SUBPROTOCOL
  return isIgnored ? 'certain' : undefined
}

/** The longest wait that a server can impose, in milliseconds. */
export const MAX_RETRY_AFTER_MS = 60_000

/** HTTP dates are written in English and always in GMT (RFC 9110, 5.6.7); other dates are not interpreted. */
const HTTP_DATE = /^[A-Z][a-z]+, .+ GMT$|^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}$/

/**
 * Milliseconds until the moment that the header names, at most {@link MAX_RETRY_AFTER_MS}; `undefined` without a
 * readable header.
 *
 * @param headers - with names in lower case, as Node gives them
 * @param nowWallMs - wall clock, milliseconds since 1970
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string | undefined>>,
  nowWallMs: number,
): number | undefined {
  const value = headers['retry-after']?.trim() ?? ''
  if (/^\d+$/.test(value)) return clamp(Number(value) * 1_000)
  if (!HTTP_DATE.test(value)) return undefined
  // The oldest of the three forms leaves out the zone.
  const at = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`)
  return Number.isNaN(at) ? undefined : clamp(at - nowWallMs)
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS)
}

const TOO_LARGE = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'

/** The error as one of ours; what is not known counts as a failure of the connection. */
export function toBusError(error: unknown): BusError {
  if (error instanceof BusError) return error
  const message = error instanceof Error ? error.message : 'The connection attempt failed'
  return new ConnectionError(message, { cause: error })
}

/** Why a connection ended. Always worth another attempt as far as the error goes: the close code decides. */
export function closeError({ error, code, reason }: CloseInfo): BusError {
  if (error instanceof BusError) return error
  if (error !== undefined && isBadFrame(error)) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === TOO_LARGE
    const message = isTooLarge
      ? 'The server sent a message above `maxMessageBytes`'
      : `The server broke the rules of WebSocket: ${error.message}`
    return new ProtocolError(message, { cause: error, retryable: true })
  }
  // Quoted, because the text is the server's.
  const why = reason === '' ? '' : `: ${JSON.stringify(reason)}`
  const options = error === undefined ? { closeCode: code } : { closeCode: code, cause: error }
  return new ConnectionError(`The connection ended with code ${code}${why}`, options)
}
