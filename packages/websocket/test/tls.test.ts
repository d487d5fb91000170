import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { TlsOptions } from '../src/index.ts'
import { encrypted, identity, serveTls, type Identity } from './certificates.ts'
import { serve, transportTo } from './harness.ts'

let own: Identity
beforeAll(async () => {
  own = await identity('127.0.0.1')
})

describe('wss', () => {
  test('works with a private authority that is trusted, and speaks HTTP/1.1', async () => {
    const peer = await serveTls({ ...own, ALPNProtocols: ['h2', 'http/1.1'] })
    const transport = transportTo(peer, { tls: { ca: own.cert } })
    await transport.connect()
    expect(peer.links).toMatchObject([{ alpn: 'http/1.1' }])
  })

  test('takes several authorities, as text and as bytes', async () => {
    const other = await identity('elsewhere')
    const server = await serve({ tls: own })
    const transport = transportTo(server, { tls: { ca: [other.cert, Buffer.from(own.cert)] } })
    await transport.connect()
    expect(server.live).toHaveLength(1)
  })

  test.each<[string, (server: Identity) => TlsOptions | undefined, () => Promise<Identity>]>([
    ['that nobody vouches for', () => undefined, async () => own],
    [
      'for another host',
      (server) => ({ ca: server.cert }),
      async () => await identity('elsewhere.invalid'),
    ],
    [
      'that has expired',
      (server) => ({ ca: server.cert }),
      async () =>
        await identity('127.0.0.1', {
          notBeforeDate: new Date('2020-01-01'),
          notAfterDate: new Date('2020-02-01'),
        }),
    ],
  ])(
    'ends the transport for a certificate %s, without another attempt [F28]',
    async (_what, tlsFor, make) => {
      const theirs = await make()
      const server = await serve({ tls: theirs })
      const tls = tlsFor(theirs)
      const transport = transportTo(server, tls === undefined ? {} : { tls })
      await expect(transport.connect({ retry: true })).rejects.toMatchObject({
        code: 'connection',
        message: expect.stringMatching(/CERT|ALTNAME|SELF_SIGNED/) as string,
      })
      expect(transport.status).toMatchObject({ state: 'closed', cause: { code: 'connection' } })
      expect(server.upgradeAttempts).toBe(0)
    },
  )

  test('accepts any certificate when configured not to check it', async () => {
    const server = await serve({ tls: own })
    const transport = transportTo(server, { tls: { rejectUnauthorized: false } })
    await transport.connect()
    expect(server.live).toHaveLength(1)
  })

  test('checks the certificate against servername and requests it from the server', async () => {
    const theirs = await identity('bus.example')
    const peer = await serveTls({ ...theirs })
    const transport = transportTo(peer, { tls: { ca: theirs.cert, servername: 'bus.example' } })
    await transport.connect()
    expect(peer.links).toMatchObject([{ servername: 'bus.example' }])
  })

  test('shows our certificate to a server that requires one', async () => {
    const client = await identity('client')
    const peer = await serveTls({ ...own, requestCert: true, rejectUnauthorized: false })
    const tls = { ca: own.cert, cert: client.cert, key: client.key }
    await transportTo(peer, { tls }).connect()
    const locked = { key: encrypted(client.key, 'open-sesame'), passphrase: 'open-sesame' }
    const key = createPrivateKey(locked).export({ type: 'pkcs8', format: 'pem' })
    await transportTo(peer, { tls: { ...tls, key } }).connect()
    expect(peer.links.map((link) => link.clientName)).toEqual(['client', 'client'])
  })

  test.each<[string, TlsOptions]>([
    ['a key that is none', { key: 'canary' }],
    ['a certificate that is none', { cert: 'canary' }],
  ])(
    'with %s ends the transport with an error that names tls and not the value',
    async (_what, wrong) => {
      const server = await serve({ tls: own })
      const tls = { cert: own.cert, key: own.key, ca: own.cert, ...wrong }
      const transport = transportTo(server, { tls })
      const error: unknown = await transport.connect({ retry: true }).catch((e: unknown) => e)
      expect(error).toMatchObject({ code: 'config', path: 'tls' })
      expect(String(error)).not.toContain('canary')
      expect(transport.status.state).toBe('closed')
    },
  )

  test('with a server that speaks no TLS, or nothing, fails within the deadline and is tried again [F28]', async () => {
    const plain = await serve()
    const transport = transportTo({ url: plain.url.replace('ws:', 'wss:') })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'connection' })
    expect(transport.status.state).not.toBe('closed')
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as AddressInfo
    const waiting = transportTo(
      { url: `wss://127.0.0.1:${port}/` },
      { timeouts: { connectMs: 40 } },
    )
    await expect(waiting.connect()).rejects.toMatchObject({ code: 'timeout' })
  })

  test('uses the same certificates on every attempt', async () => {
    const server = await serve({ tls: { ...own, requestCert: true, ca: own.cert } })
    const transport = transportTo(server, { tls: { ...own, ca: own.cert } })
    await transport.connect()
    server.faults.reset()
    await server.waitForConnection({ index: 1 })
  })
})
