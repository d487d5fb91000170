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

/** Certificate and key of `CN=client`, which `open-sesame` opens. */
export const CLIENT_PFX: Buffer = Buffer.from(
  `
  MIIEHAIBAzCCA9IGCSqGSIb3DQEHAaCCA8MEggO/MIIDuzCCAnIGCSqGSIb3DQEHBqCCAmMwggJfAgEAMIICWAYJKoZIhv
  cNAQcBMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhdYcVRW1ZIogICCAAwDAYIKoZIhvcNAgkFADAdBglghkgB
  ZQMEASoEEFcRdCla4eGUuCZOjvQHyIiAggHwtV23xJyNYcq3OKGXFb+IPxsN/7gaeVHJIyYedg5Qp1yoNOE0ZCFHG48Qtr
  5ocxEMsZLmPJ3/US0huiGnfvi+PkW9SurPzxJZEPcnH0Sw14Zky+wT7MoN4gIl6KxokUcQttA6ybHh3HiIjNCe5ndb9fzd
  wGcI1q7kDjlF1d+GJItJGUWUCx+sDO2hnsRSiNEkm5mtTfdrNMISDWKJ6Hsf5SiRTtx+vuX3zCo/692mDkQLGq10P5uvMJ
  A61UufY5fFOnsndiz3CJYGa5d0vPufS8oJnccOwGS/eeE+iGEYf9vyNi1KEx/uf8fnnNfcQBqoZvb9gEyOwy67aKbGG7RJ
  4LVLOHpDxxhkodfyqbTjDVriGmPfSeSzRQbK8oc9Ris2sRgnRiugbldB190N+cWUnUty+eL0EKUA4viMz1MLGBI737J6ak
  bdQXvrh90ZJcuEKy5qSiWkTamZOwvC0z1ArYHUaXv6hhvPIH4c1WGg1Ml+LEn/4jpUJIZBhtCUZMrDdujNGH/UBisbVpFP
  w/6Yq3taf8Ix9hb5/CPnrg4Wj2QkPk06ugNds4hYFRpZYB3z9pz1iid2QNlXDrK5BEhVlIgxNyLMim8FqEKNssz4umQlJG
  oCZOBO7jLboaZ8w2j8U2/BLIeSo9Xoi8bWIo4LwDCCAUEGCSqGSIb3DQEHAaCCATIEggEuMIIBKjCCASYGCyqGSIb3DQEM
  CgECoIHvMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgd/W3hb3+APwICCAAwDAYIKoZIhvcNAgkFADAdBg
  lghkgBZQMEASoEECwrl8hZ85CSa/gm2qA0Sf4EgZA4d0ShW95YnouuMOAaaM3IycJ19BTo734iK81crWha/jvm2xv2SQ56
  vrWS4+aT9iqlegSwv072fWEPdVUptX73vpqMe2M6w9nU5aj/NHjJ6RTzOjUQa0pvo6VMcPDW1rMOlDnUHnMUOMY/cwc3k7
  LOPhMLvbpXmZTa1hcy0D+S746FO/PfcmUyyEvyH4B3aEExJTAjBgkqhkiG9w0BCRUxFgQUVArYGwotC+SuU1Fyt4am4vQx
  wyMwQTAxMA0GCWCGSAFlAwQCAQUABCDWuQNiKehqWZ2v54nWMv/fDtA1mvgCf4NhQ56uBu3WbgQIk3JvKjghp7gCAggA
  `,
  'base64',
)
