/** Where attempts go: URLs and certificates that are asked for anew for each, and lists that are tried in turn. */
import { createEvent } from '@bus/core'
import { expect, test } from 'vitest'
import {
  webSocketTransport,
  type TlsOptions,
  type WebSocketTransport,
  type WebSocketTransportOptions,
} from '../src/index.ts'
import { identity, serveTls } from './certificates.ts'
import { serve, transportTo, until } from './harness.ts'

type Url = WebSocketTransportOptions['url']

/** `transportTo` with a URL of any form. */
const connectTo = (
  url: Url,
  options: Omit<WebSocketTransportOptions, 'url'> = {},
): WebSocketTransport => transportTo({ url: '' }, { ...options, url } as typeof options)

test.each([
  ['at once', (url: string) => url],
  ['later', async (url: string) => await Promise.resolve(new URL(url))],
])(
  'a function gives the URL of each attempt %s, with its number and a signal [F171]',
  async (_how, wrap) => {
    const [first, second] = [await serve(), await serve()]
    const attempts: number[] = []
    const signals: AbortSignal[] = []
    const transport = connectTo(({ attempt, signal }) => {
      attempts.push(attempt)
      signals.push(signal)
      return wrap(attempts.length === 1 ? first.url : second.url)
    })
    await transport.connect()
    expect(signals.every((signal) => !signal.aborted)).toBe(true)
    first.faults.reset()
    await second.waitForConnection()
    expect([first.upgradeAttempts, second.upgradeAttempts]).toEqual([1, 1])
    expect(attempts).toEqual([1, 2])
  },
)

/** What a function must not do, and the message of the error. */
type Mistake = readonly [what: string, mistake: () => unknown, message: RegExp]

/** A function that throws this. */
function thrown(error: unknown): () => unknown {
  return () => {
    throw error
  }
}

const MISTAKES: readonly Mistake[] = [
  ['throws', thrown(new Error('no registry')), /function `url` failed/],
  ['throws what is no error', thrown(undefined), /function `url` failed/],
  ['rejects', () => Promise.reject(new Error('no registry')), /function `url` failed/],
  ['gives nothing', () => undefined, /Expected `url` to be a ws: or wss: URL with a host, got/],
  ['gives another scheme', () => 'http://127.0.0.1/', /Expected `url` to be a ws: or wss: URL/],
  ['gives a list', () => ['ws://127.0.0.1/'], /Expected `url` to be a ws: or wss: URL/],
  ['gives an object that no text can be made of', () => Object.create(null), /Expected `url`/],
  ['gives a thenable that throws', () => ({ then: thrown(new Error('then')) }), /`url` failed/],
]

test.each(MISTAKES)(
  'a function for the URL that %s fails its attempt with a typed error, and the next one calls it again [F171]',
  async (_what, mistake, message) => {
    const server = await serve()
    let calls = 0
    const transport = connectTo((() => (++calls === 1 ? mistake() : server.url)) as () => string)
    await expect(transport.connect()).rejects.toMatchObject({
      code: 'bootstrap',
      retryable: true,
      message: expect.stringMatching(message) as string,
    })
    await transport.connect({ retry: true })
    expect(calls).toBe(2)
  },
)

test('a function for the URL that never settles ends with the deadline, and its signal says so [F171]', async () => {
  const server = await serve()
  const signals: AbortSignal[] = []
  const transport = connectTo(
    ({ signal }) => {
      signals.push(signal)
      return signals.length === 1 ? new Promise(() => {}) : server.url
    },
    { timeouts: { connectMs: 30 } },
  )
  await expect(transport.connect()).rejects.toMatchObject({ code: 'timeout' })
  expect(signals[0]?.aborted).toBe(true)
  await transport.connect({ retry: true })
})

test('a function cannot lead credentials to another machine in the clear: that ends the transport before it dials [F171]', async () => {
  const transport = connectTo(() => 'ws://192.0.2.1/', { headers: { authorization: 'secret' } })
  await expect(transport.connect()).rejects.toMatchObject({ code: 'config' })
  expect(transport.status).toMatchObject({ state: 'closed', cause: { code: 'config' } })
})

test('a list is tried in turn, and the one that was connected last comes first again [F171]', async () => {
  const [down, up, other] = [await serve(), await serve(), await serve()]
  down.faults.refuse(503)
  const transport = connectTo([down.url, up.url, other.url])
  await transport.connect({ retry: true })
  const attempts = (): number[] => [down, up, other].map((server) => server.upgradeAttempts)
  expect(attempts()).toEqual([1, 1, 0])
  up.faults.reset()
  await up.waitForConnection({ index: 1 })
  expect(attempts()).toEqual([1, 2, 0])
  up.faults.refuse(503)
  up.faults.reset()
  await other.waitForConnection()
  expect(attempts()).toEqual([1, 3, 1])
  await transport.publish(createEvent('a', 1))
  await other.waitForMessage({ event_type: 'a' })
})

test('each URL of a list is checked when the transport is made', () => {
  const make = (url: unknown): unknown => webSocketTransport({ url: url as string })
  expect(() => make([])).toThrow('Expected `url` to name at least one URL, got `[…]` (array)')
  expect(() => make(['ws://a/', 'http://b/'])).toThrow(
    /Expected `url\[1\]` to be a ws: or wss: URL/,
  )
  expect(() =>
    webSocketTransport({
      url: ['wss://a.example/', 'ws://b.example/'],
      headers: { cookie: 'secret' },
    }),
  ).toThrow(/Expected no credentials over ws:/)
})

test('a function gives the certificates of each attempt, so that renewed ones are used [F171]', async () => {
  const [own, client, renewed] = await Promise.all(
    ['127.0.0.1', 'client', 'renewed'].map((name) => identity(name)),
  )
  const peer = await serveTls({ ...own, requestCert: true, rejectUnauthorized: false })
  const current = { ...client }
  const transport = transportTo(peer, {
    tls: async () => await Promise.resolve({ ca: own?.cert, ...current }),
  })
  await transport.connect()
  Object.assign(current, renewed)
  await transport.reconnect()
  expect(peer.links.map(({ clientName }) => clientName)).toEqual(['client', 'renewed'])
})

test.each<Mistake>([
  ['throws', thrown(new Error('no file')), /function `tls` failed/],
  ['gives nothing', () => undefined, /Expected `tls` to be an object/],
  ['gives another option', () => ({ certificate: 'PEM' }), /certificate/],
  ['gives what is no PEM', () => ({ cert: 7 }), /Expected `tls.cert` to be PEM text or bytes/],
])(
  'a function for certificates that %s fails its attempt with a typed error, and the next one calls it again [F171]',
  async (_what, mistake, message) => {
    const own = await identity('127.0.0.1')
    const peer = await serveTls({ ...own })
    let calls = 0
    const tls = (): TlsOptions => (++calls === 1 ? (mistake() as TlsOptions) : { ca: own.cert })
    const transport = transportTo(peer, { tls })
    const error: unknown = await transport.connect().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'bootstrap', retryable: true })
    expect(String(error)).toMatch(message)
    await transport.connect({ retry: true })
    await until(() => calls === 2, 'a second call')
  },
)
