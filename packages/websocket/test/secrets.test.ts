import { inspect } from 'node:util'
import { createEvent } from '@bus/core'
import { beforeAll, describe, expect, test } from 'vitest'
import { webSocketTransport, type WebSocketTransportOptions } from '../src/index.ts'
import { identity, type Identity } from './certificates.ts'
import { record, serve, transportTo, until } from './harness.ts'

const CANARY = 'canary-7f3a9c'

/** Everything that a log could show of a value. */
function shown(value: unknown): string {
  const parts: string[] = []
  const seen = new Set<unknown>()
  const visit = (v: unknown): void => {
    if (seen.has(v)) return
    seen.add(v)
    parts.push(inspect(v, { depth: 10, showHidden: true }), String(v), JSON.stringify(v))
    if (v instanceof Error) visit(v.cause)
    if (v instanceof AggregateError) for (const inner of v.errors) visit(inner)
  }
  visit(value)
  return parts.join('\n')
}

let own: Identity
beforeAll(async () => {
  own = await identity('127.0.0.1')
})

type Options = Omit<WebSocketTransportOptions, 'url'>

const withCanary: Options = {
  headers: { authorization: `Bearer ${CANARY}`, 'x-key': CANARY, cookie: `session=${CANARY}` },
}

async function failures(url: string, options: Options): Promise<string> {
  const transport = transportTo({ url }, { ...options, reconnect: { maxAttempts: 1 } })
  const notices = record(transport)
  const publish = transport.publish(createEvent('a', 1)).catch((error: unknown) => error)
  const connect = transport.connect({ retry: true }).catch((error: unknown) => error)
  const errors = await Promise.all([publish, connect])
  const health = await transport.health()
  const all = [errors, notices, transport.status, transport, health, transport.stats()]
  expect(errors.every((error) => error instanceof Error)).toBe(true)
  return all.map(shown).join('\n')
}

describe('a secret in headers, query or TLS options is in no error, notice, status or printout', () => {
  test.each([401, 404, 503])(
    'when the server refuses with %i and repeats everything that we sent',
    async (status) => {
      const server = await serve()
      server.faults.refuse(status, {
        body: `Cannot GET /?token=${CANARY} with Bearer ${CANARY}`,
        headers: {
          location: `/login?next=%2F%3Ftoken%3D${CANARY}`,
          'set-cookie': `session=${CANARY}`,
          'www-authenticate': `Bearer error="${CANARY}"`,
        },
      })
      const text = await failures(`${server.url}?token=${CANARY}`, withCanary)
      expect(text).not.toContain(CANARY)
      expect(text).toContain('[redacted]')
    },
  )

  test('when there is no answer, or none in HTTP', async () => {
    const server = await serve()
    server.faults.resetUpgrade({ times: 2 })
    server.faults.answerUpgrade('no http\r\n\r\n', { times: 2 })
    const url = `${server.url}?token=${CANARY}`
    expect(await failures(url, withCanary)).not.toContain(CANARY)
    expect(await failures(url, withCanary)).not.toContain(CANARY)
    await server.close()
    expect(await failures(url, withCanary)).not.toContain(CANARY)
    const slow = await serve()
    slow.faults.hangUpgrade()
    const late = { ...withCanary, timeouts: { connectMs: 20 } }
    expect(await failures(`${slow.url}?token=${CANARY}`, late)).not.toContain(CANARY)
  })

  test('when the header cannot be sent', async () => {
    const server = await serve()
    for (const value of [`${CANARY}\n`, `${CANARY}\u20ac`]) {
      const text = await failures(server.url, { headers: () => ({ authorization: value }) })
      expect(text).not.toContain(CANARY)
      const headers = { authorization: value }
      expect(() => webSocketTransport({ url: server.url, headers })).toThrow(
        expect.not.stringContaining(CANARY) as Error,
      )
    }
  })

  test('when the key is none, or the certificate is not trusted', async () => {
    const server = await serve({ tls: own })
    const key = `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----\n`
    const tls = { cert: own.cert, key, ca: own.cert }
    expect(await failures(server.url, { ...withCanary, tls })).not.toContain(CANARY)
    const url = `${server.url}?token=${CANARY}`
    expect(await failures(url, withCanary)).not.toContain(CANARY)
  })

  test('when the URL itself is wrong [F143]', () => {
    for (const url of [
      `http://h/?token=${CANARY}`,
      `ws://user:${CANARY}@h/`,
      `ws://h/#${CANARY}`,
    ]) {
      let error: unknown
      try {
        webSocketTransport({ url })
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(Error)
      expect(shown(error)).not.toContain(CANARY)
    }
  })

  test('while all is well', async () => {
    const server = await serve()
    const transport = transportTo({ url: `${server.url}?token=${CANARY}` }, withCanary)
    const notices = record(transport)
    await transport.connect()
    server.disconnect(1001, 'bye')
    await until(() => transport.stats().reconnects === 1, 'reconnected')
    await transport.close()
    const all = [notices, transport.status, transport, transport.capabilities]
    expect(all.map(shown).join('\n')).not.toContain(CANARY)
    expect(server.upgrades[0]?.headers['authorization']).toContain(CANARY)
  })
})
