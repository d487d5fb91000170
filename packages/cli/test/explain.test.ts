import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { only, record, serve, transportTo, until } from '@bus/test-support/websocket'
import type { WebSocketTransport } from '@bus/websocket'
import { CLOSE_CODES } from '@bus/websocket/protocol'
import { beforeAll, describe, expect, test } from 'vitest'
import { explain } from '../src/index.ts'
import { identity, type Identity } from './identity.ts'

let own: Identity
beforeAll(async () => {
  own = await identity('127.0.0.1')
})

/** Why connecting fails. */
async function failureOf(transport: WebSocketTransport): Promise<unknown> {
  return await transport.connect().then(
    () => undefined,
    (error: unknown) => error,
  )
}

const UNKNOWN = 'docs/errors.md#errors'

describe('explain says what to do', () => {
  test('when nothing listens', async () => {
    const server = await serve()
    await server.close()
    expect(explain(await failureOf(transportTo(server)))).toEqual({
      message: 'Nothing listens at that address.',
      suggestion: 'Check that the server runs, and the host and port of the URL.',
      docsUrl: 'docs/errors.md#errors-of-the-system',
    })
  })

  test('when the host has no address', async () => {
    const { message } = explain(await failureOf(transportTo({ url: 'ws://nowhere.invalid/' })))
    expect(['There is no host of that name.', 'The name server did not answer.']).toContain(message)
  })

  test('when the certificate is not trusted, or is that of another host', async () => {
    const server = await serve({ tls: own })
    const { message } = explain(await failureOf(transportTo(server)))
    expect(message).toBe('The server signed its certificate itself.')
    const tls = { ca: own.cert, servername: 'other.example' }
    const other = explain(await failureOf(transportTo(server, { tls })))
    expect(other.message).toBe('The certificate is that of another host.')
  })

  test('when TLS meets a port without it', async () => {
    const server = await serve()
    const url = server.url.replace('ws:', 'wss:')
    const { docsUrl } = explain(await failureOf(transportTo({ url })))
    expect(docsUrl).toBe('docs/errors.md#errors-of-the-system')
  })

  test.each([
    [401, 'The server does not accept our credentials.'],
    [429, 'The server received too many requests.'],
    [404, 'The server has no such path.'],
    [503, 'The server failed, or the gateway before it found none.'],
  ])('when the handshake is refused with %i', async (status, message) => {
    const server = await serve()
    server.faults.refuse(status)
    expect(explain(await failureOf(transportTo(server))).message).toBe(message)
  })

  test('when the link ends, of the notice and of the error', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const notices = record(transport)
    await transport.connect()
    server.disconnect(4_429, 'slow down')
    await until(() => only(notices, 'close').length === 1, 'the close')
    const ofNotice = explain(only(notices, 'close')[0])
    expect(ofNotice.message).toBe('Too much was sent in too short a time.')
    const lost = only(notices, 'status').find(({ status }) => status.state === 'backoff')?.status
    expect(explain(lost?.state === 'backoff' ? lost.cause : undefined)).toEqual(ofNotice)
  })

  test('when a frame breaks the rules', async () => {
    const server = await serve()
    const transport = transportTo(server, { maxMessageBytes: 100 })
    const notices = record(transport)
    await transport.connect()
    server.inject('x'.repeat(101))
    const lost = (): unknown =>
      only(notices, 'status')
        .map(({ status }) => status)
        .find(({ state }) => state === 'backoff')
    await until(() => lost() !== undefined, 'the loss')
    const { cause } = lost() as { cause: unknown }
    expect(explain(cause).message).toBe('The other side sent a message above `maxMessageBytes`.')
  })
})

describe('explain knows', () => {
  test('every close code, in the words of the table', () => {
    for (const { code, sentence } of CLOSE_CODES) {
      expect(explain({ code }).message).toBe(sentence)
    }
  })

  test('every code of ws', () => {
    const websocket = createRequire(import.meta.url).resolve('@bus/websocket/package.json')
    const ws = createRequire(websocket).resolve('ws')
    const sources = ['receiver', 'sender', 'websocket', 'permessage-deflate'].map((name) =>
      readFileSync(ws.replace(/[^/]+$/, `lib/${name}.js`), 'utf8'),
    )
    const codes = sources.flatMap((text) => [...text.matchAll(/'(WS_ERR_\w+)'/g)].map((m) => m[1]))
    expect(codes.length).toBeGreaterThan(10)
    for (const code of codes) expect(explain({ code }).docsUrl).not.toBe(UNKNOWN)
  })
})
