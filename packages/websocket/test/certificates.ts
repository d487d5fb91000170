/** Certificates for tests: made on the spot, and one identity in the PKCS #12 form that Node cannot make. */
import { createPrivateKey } from 'node:crypto'
import { createServer, type ServerOptions } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import { onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'

export interface Identity {
  readonly cert: string
  readonly key: string
}

/** A certificate that signs itself, for an address or a host name. */
export async function identity(name: string, validity: Validity = {}): Promise<Identity> {
  const isAddress = /^[\d.]+$/.test(name)
  const altName = isAddress ? ({ type: 7, ip: name } as const) : ({ type: 2, value: name } as const)
  const pem = await generate([{ name: 'commonName', value: name }], {
    ...validity,
    extensions: [{ name: 'subjectAltName', altNames: [altName] }],
  })
  return { cert: pem.cert, key: pem.private }
}

interface Validity {
  readonly notBeforeDate?: Date
  readonly notAfterDate?: Date
}

/** The key, readable only with the passphrase. */
export function encrypted(key: string, passphrase: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const
  return createPrivateKey(key).export(options).toString()
}

/** A server that says how it was spoken to. */
export interface TlsPeer {
  readonly url: string
  /** One for each link. */
  readonly links: {
    readonly protocol: string | null
    readonly alpn: string | false | null
    readonly servername: string | false | undefined
    readonly clientName: string | undefined
  }[]
}

export async function serveTls(options: ServerOptions): Promise<TlsPeer> {
  const server = createServer(options)
  const sockets = new WebSocketServer({ server })
  const links: TlsPeer['links'][number][] = []
  sockets.on('error', () => {})
  sockets.on('connection', (_socket, request) => {
    const tls = request.socket as TLSSocket & { readonly servername?: string | false }
    const subject = tls.getPeerCertificate().subject as { readonly CN?: string } | undefined
    links.push({
      protocol: tls.getProtocol(),
      alpn: tls.alpnProtocol,
      servername: tls.servername,
      clientName: subject?.CN,
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  return { url: `wss://127.0.0.1:${(server.address() as AddressInfo).port}/`, links }
}
