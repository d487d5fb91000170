/** Through a proxy: the recipe of the guide, with the agent that it names, and a proxy that knows CONNECT. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { createEvent } from '@bus/core'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { identity, serveTls } from './certificates.ts'
import { serve, transportTo } from './harness.ts'
import { startHub } from './hub-clients.ts'

interface Proxy {
  readonly url: string
  /** What it was asked for. */
  readonly tunnels: { readonly target: string; readonly authorization: string | undefined }[]
  /** The status with which it refuses, instead of making a tunnel. */
  refusesWith: number | undefined
}

async function startProxy(): Promise<Proxy> {
  const server = createServer()
  const sockets = new Set<Socket>()
  const proxy: Proxy = { url: '', tunnels: [], refusesWith: undefined }
  server.on('connect', (request, near: Socket, head: Buffer) => {
    const target = request.url ?? ''
    proxy.tunnels.push({ target, authorization: request.headers['proxy-authorization'] })
    sockets.add(near)
    near.on('error', () => {})
    if (proxy.refusesWith !== undefined) {
      near.end(`HTTP/1.1 ${proxy.refusesWith} Refused\r\n\r\n`)
      return
    }
    const [host, port] = target.split(':')
    const far = connect(Number(port), host, () => {
      near.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      far.write(head)
      near.pipe(far).pipe(near)
    })
    sockets.add(far)
    far.on('error', () => near.destroy())
    near.on('close', () => far.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return Object.assign(proxy, {
    url: `http://me:secret@127.0.0.1:${(server.address() as AddressInfo).port}`,
  })
}

test('events go through the tunnel of a proxy, and come back through a new one after a break', async () => {
  const [hub, proxy] = [await startHub(), await startProxy()]
  const transport = transportTo(hub, {
    protocol: busV1(),
    agent: new HttpsProxyAgent(proxy.url),
  })
  await transport.publish(createEvent('a', 1))
  await transport.reconnect()
  await transport.publish(createEvent('a', 2))
  const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`
  const tunnel = { target: `127.0.0.1:${hub.port}`, authorization }
  expect(proxy.tunnels).toEqual([tunnel, tunnel])
  expect(hub.stats().busV1.published).toBe(2)
})

test('TLS is spoken with the server behind the proxy, with the certificates of the transport', async () => {
  const [own, client] = await Promise.all([identity('localhost'), identity('client')])
  const peer = await serveTls({ ...own, requestCert: true, rejectUnauthorized: false })
  const proxy = await startProxy()
  const agent = new HttpsProxyAgent(proxy.url)
  // The agent compares certificates with names, and not with addresses.
  const named = { url: peer.url.replace('127.0.0.1', 'localhost') }
  await transportTo(named, { agent, tls: { ca: own.cert, ...client } }).connect()
  expect(peer.links).toMatchObject([{ clientName: 'client', alpn: 'http/1.1' }])
  expect(proxy.tunnels).toHaveLength(1)
  const stranger = transportTo(named, { agent })
  await expect(stranger.connect()).rejects.toMatchObject({ code: 'connection' })
})

test('a proxy that refuses fails the attempt, and the next one asks it again', async () => {
  const [server, proxy] = [await serve(), await startProxy()]
  proxy.refusesWith = 503
  const transport = transportTo(server, { agent: new HttpsProxyAgent(proxy.url) })
  await expect(transport.connect()).rejects.toMatchObject({ retryable: true })
  expect(server.upgradeAttempts).toBe(0)
  proxy.refusesWith = undefined
  await transport.connect({ retry: true })
  expect(proxy.tunnels.length).toBeGreaterThan(1)
})

test('a proxy that is away is a failed connection', async () => {
  const server = await serve()
  const transport = transportTo(server, { agent: new HttpsProxyAgent('http://127.0.0.1:1') })
  await expect(transport.connect()).rejects.toMatchObject({ code: 'connection' })
})

test('the credentials of the proxy are printed nowhere', async () => {
  const server = await serve()
  const proxy = await startProxy()
  proxy.refusesWith = 407
  const transport = transportTo(server, { agent: new HttpsProxyAgent(proxy.url) })
  const error = (await transport.connect().catch((reason: unknown) => reason)) as Error
  expect(`${error.message} ${error.stack ?? ''} ${String(error.cause)}`).not.toContain('secret')
})
