/** The mock server over TLS. */
import { generate, type GenerateResult } from 'selfsigned'
import { beforeAll, describe, expect, test } from 'vitest'
import { startMockServer } from '../src/mock-server/index.ts'
import { PlainClient } from './plain-client.ts'

describe('over TLS', () => {
  let pem: GenerateResult

  beforeAll(async () => {
    pem = await generate([{ name: 'commonName', value: 'localhost' }], {
      clientCertificate: true,
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    })
  })

  function options(): { key: string; cert: string } {
    return { key: pem.private, cert: pem.cert }
  }

  test('the URL is wss and a client that trusts the certificate gets in', async () => {
    await using server = await startMockServer({ tls: options(), handler: 'echo', path: '/s' })
    expect(server.url).toBe(`wss://127.0.0.1:${server.port}/s`)
    using client = await PlainClient.open(server.url, { ca: pem.cert })
    client.socket.send('secret')
    expect(await client.untilMessages(1)).toEqual(['secret'])
  })

  test('a client that does not trust the certificate stays out', async () => {
    await using server = await startMockServer({ tls: options() })
    using client = new PlainClient(server.url)
    await client.untilClosed()
    expect(client.error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect(server.upgradeAttempts).toBe(0)
  })

  test('asks for a certificate when told to', async () => {
    const tls = { ...options(), requestCert: true, ca: pem.cert }
    await using server = await startMockServer({ tls })
    using without = new PlainClient(server.url, { ca: pem.cert })
    await without.untilClosed()
    expect(without.error).toBeDefined()
    expect(server.upgradeAttempts).toBe(0)
    const identity = { ca: pem.cert, key: pem.private, cert: pem.cert }
    using client = await PlainClient.open(server.url, identity)
    expect(client.socket.readyState).toBe(client.socket.OPEN)
  })

  test('faults and restarts work as without TLS', async () => {
    await using server = await startMockServer({ tls: options(), handler: 'echo' })
    const { url } = server
    server.faults.refuse(503, { times: 1 })
    server.faults.dripUpgrade({ intervalMs: 1, times: 1 })
    using refused = new PlainClient(url, { ca: pem.cert })
    await refused.untilClosed()
    expect(refused.refusal?.status).toBe(503)
    using dripped = await PlainClient.open(url, { ca: pem.cert })
    dripped.socket.send('x')
    expect(await dripped.untilMessages(1)).toEqual(['x'])
    server.faults.reset()
    expect((await dripped.untilClosed()).code).toBe(1006)
    await server.restart()
    expect(server.url).toBe(url)
    using after = await PlainClient.open(url, { ca: pem.cert })
    server.disconnect(4000)
    expect((await after.untilClosed()).code).toBe(4000)
  })
})
