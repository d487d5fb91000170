/** A diagnosis of one server: dials it as an application would, and reports each step of the connection as it is made. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { isIP, type Socket } from 'node:net'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import {
  ConfigError,
  ConnectionError,
  HeartbeatTimeoutError,
  TimeoutError,
  errorData,
  type ErrorData,
} from '@bus/core'
import { printable } from '@bus/core/kit'
import { busV1, webSocketTransport, type WebSocketTransportOptions } from '@bus/websocket'
import { explain, type Explanation } from './explain.ts'

/** The steps of a connection, in the order in which they are made. */
type StepName = 'address' | 'tcp' | 'tls' | 'upgrade' | 'subprotocol' | 'session' | 'ping' | 'clock'

/** What was found at one step. */
export type Step =
  | { readonly step: StepName; readonly status: 'ok' | 'skipped'; readonly detail: string }
  | {
      readonly step: StepName
      readonly status: 'failed'
      readonly detail: string
      readonly advice: Explanation
      readonly error?: ErrorData
    }

/** How to dial. */
export interface DiagnoseOptions extends Pick<
  WebSocketTransportOptions,
  'url' | 'headers' | 'allowInsecure' | 'tls'
> {
  /** Shown to a hub in `hello`. @default none */
  readonly token?: string | undefined
  /** Milliseconds for all up to the upgrade, and again for the session and for the ping. */
  readonly timeoutMs: number
  /** Wall clock in milliseconds since 1970, which is compared with that of the server. @default Date.now */
  readonly now?: () => number
}

/** Node publishes each HTTP request here when it is sent; the upgrade is one. */
const REQUESTS = 'http.client.request.start'
/** A server names its time in whole seconds, and the answer was under way: less than this is no problem. */
const MAX_CLOCK_DIFFERENCE_MS = 30_000

/** What a deadline means that passed in a step: nothing failed there, nothing came either. */
const TIMEOUT_ADVICE: Readonly<Record<StepName, readonly [message: string, suggestion: string]>> = {
  address: [
    'The name server did not answer in time.',
    'Check the network and the name servers of this machine.',
  ],
  tcp: [
    'The other side did not answer in time.',
    'Check host and port of the URL, and firewalls on the way.',
  ],
  tls: [
    'The server accepted the connection and did not answer in TLS in time.',
    'Check that the port has TLS; use a ws: URL where it has none.',
  ],
  upgrade: [
    'The server accepted the connection and did not answer the HTTP request in time.',
    'Check that a WebSocket server listens at that port, and that no proxy in between keeps the request.',
  ],
  subprotocol: [
    'The server accepted the connection and chose no subprotocol in time.',
    'Compare versions and subprotocols of both sides.',
  ],
  session: [
    'The server chose bus.v1 and did not answer `hello` with `welcome` in time.',
    'Check that the server is a hub of @bus/websocket; its log may say more.',
  ],
  ping: [
    'The server did not answer a ping in time.',
    'Look for a proxy in between that drops control frames, and at the load of the server.',
  ],
  clock: ['The server did not name its time.', 'Nothing.'],
}

/**
 * Dials the server with the WebSocket transport, once.
 *
 * @param report - called for each step as soon as it is known: those that are made, the one that failed, and the rest as skipped
 * @returns whether all is well
 * @throws `ConfigError` for a bad option
 */
export async function diagnose(
  options: DiagnoseOptions,
  report: (step: Step) => void,
): Promise<boolean> {
  const { url, headers, allowInsecure, tls, token, timeoutMs, now = Date.now } = options
  const transport = webSocketTransport({
    url,
    protocol: busV1(token === undefined ? {} : { token }),
    ...(headers === undefined ? {} : { headers }),
    ...(allowInsecure === undefined ? {} : { allowInsecure }),
    ...(tls === undefined ? {} : { tls }),
    timeouts: { connectMs: timeoutMs, bootstrapMs: timeoutMs },
    reconnect: false,
    breaker: false,
  })
  const observed = new ObservedConnection(new URL(url), now, report)
  try {
    await observed.during(() => transport.connect())
    observed.ready(transport.status.state === 'ready' ? transport.status.protocol : '')
    const { rttMs } = await transport.health({ probe: true, timeoutMs })
    if (rttMs === undefined) observed.failed(new HeartbeatTimeoutError('No pong'))
    else observed.made('ping', `pong after ${rttMs.toFixed(1)} ms`)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    observed.failed(error)
  } finally {
    await transport.close()
  }
  return observed.end()
}

/** What is seen of the connection that the transport makes. */
class ObservedConnection {
  readonly #now: () => number
  readonly #report: (step: Step) => void
  /** The steps that are not reported yet. */
  readonly #open: Set<StepName>
  /** Those of the host, as far as they are known. */
  readonly #addresses = new Set<string>()
  #isWell = true
  /** How far the clock of the server is ahead of ours, in milliseconds; `undefined` where it did not name its time. */
  #aheadMs: number | undefined

  constructor({ protocol, hostname }: URL, now: () => number, report: (step: Step) => void) {
    this.#now = now
    this.#report = report
    const address = hostname.replace(/^\[|\]$/g, '')
    if (isIP(address) > 0) this.#addresses.add(address)
    const secure: readonly StepName[] = protocol === 'wss:' ? ['tls'] : []
    this.#open = new Set<StepName>(['address', 'tcp', ...secure, 'upgrade', 'subprotocol'])
    for (const step of ['session', 'ping', 'clock'] as const) this.#open.add(step)
  }

  /** Watches the requests that the function makes, and no others of this process. */
  async during(run: () => Promise<void>): Promise<void> {
    const context = new AsyncLocalStorage<true>()
    const onRequest = (message: unknown): void => {
      if (context.getStore() !== undefined) {
        this.#watch((message as { readonly request: ClientRequest }).request)
      }
    }
    subscribe(REQUESTS, onRequest)
    try {
      await context.run(true, run)
    } finally {
      unsubscribe(REQUESTS, onRequest)
    }
  }

  /** The transport is ready, speaking this subprotocol. */
  ready(subprotocol: string): void {
    if (subprotocol === 'bus.v1') {
      this.made('session', 'hello was answered with welcome: confirmed, resumable')
      return
    }
    const spoken = subprotocol === '' ? 'the server chose none' : printable(subprotocol)
    this.made('subprotocol', `${spoken}: not a hub, events travel as plain JSON, unconfirmed`)
    this.#skip('session', 'only with bus.v1')
  }

  made(step: StepName, detail: string): void {
    if (this.#open.delete(step)) this.#report({ step, status: 'ok', detail })
  }

  /** The first step that was not made is the one that failed. */
  failed(error: unknown): void {
    this.#resolved()
    const [step = 'session'] = this.#open
    this.#isWell = false
    this.#open.delete(step)
    const isTimeout = error instanceof TimeoutError || error instanceof HeartbeatTimeoutError
    const advice = isTimeout ? ofTimeout(step) : explain(error)
    const data = errorData(error)
    const detail = printable(data.message)
    this.#report({ step, status: 'failed', detail, advice, error: data })
  }

  /** Compares the clocks, and reports what was not come to as skipped. */
  end(): boolean {
    for (const step of this.#open) {
      if (step !== 'clock') this.#skip(step, 'not reached')
    }
    this.#compareClocks()
    return this.#isWell
  }

  #resolved(): void {
    if (this.#addresses.size > 0) this.made('address', [...this.#addresses].join(', '))
  }

  #skip(step: StepName, detail: string): void {
    if (this.#open.delete(step)) this.#report({ step, status: 'skipped', detail })
  }

  #watch(request: ClientRequest): void {
    // It has been sent, so the socket is there, and has not connected yet.
    if (request.socket !== null) this.#watchSocket(request.socket)
    request.once('upgrade', (response) => this.#answered(response))
    request.once('response', (response) => this.#clockOf(response))
  }

  #watchSocket(socket: Socket): void {
    socket.on('lookup', (error: Error | null, address: string) => {
      if (error === null) this.#addresses.add(address)
    })
    socket.once('connect', () => {
      const { remoteAddress = '', remotePort = 0 } = socket
      this.#addresses.add(remoteAddress)
      this.#resolved()
      this.made('tcp', `connected to ${remoteAddress}, port ${remotePort}`)
    })
    socket.once('secureConnect', () => {
      const secure = socket as TLSSocket
      // Empty where the server shows none.
      const { subject, valid_to: until = '?' } =
        secure.getPeerCertificate() as Partial<PeerCertificate>
      const name = printable(String(subject?.CN ?? '?'))
      this.made('tls', `${secure.getProtocol()}, certificate of ${name} valid until ${until}`)
    })
  }

  #answered(response: IncomingMessage): void {
    this.#clockOf(response)
    const status = `${response.statusCode} ${response.statusMessage ?? ''}`.trim()
    this.made('upgrade', printable(status))
    const chosen = response.headers['sec-websocket-protocol']
    if (chosen === 'bus.v1') this.made('subprotocol', chosen)
  }

  #clockOf({ headers: { date } }: IncomingMessage): void {
    const theirs = date === undefined ? NaN : Date.parse(date)
    if (!Number.isNaN(theirs)) this.#aheadMs = theirs - this.#now()
  }

  #compareClocks(): void {
    const aheadMs = this.#aheadMs
    if (aheadMs === undefined) {
      this.#skip('clock', 'the server does not name its time')
      return
    }
    const seconds = Math.round(Math.abs(aheadMs) / 1_000)
    const detail = `the server is ${seconds} s ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine`
    if (Math.abs(aheadMs) <= MAX_CLOCK_DIFFERENCE_MS) {
      this.made('clock', detail)
      return
    }
    this.#isWell = false
    this.#open.delete('clock')
    const advice = {
      message: 'The clocks of the two machines differ.',
      suggestion: 'Set the wrong one: certificates and tokens are judged by the clock.',
      docsUrl: explain(new ConnectionError('')).docsUrl,
    }
    this.#report({ step: 'clock', status: 'failed', detail, advice })
  }
}

function ofTimeout(step: StepName): Explanation {
  const [message, suggestion] = TIMEOUT_ADVICE[step]
  return { message, suggestion, docsUrl: explain(new TimeoutError('')).docsUrl }
}
