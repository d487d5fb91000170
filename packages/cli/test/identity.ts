/** A certificate that signs itself, made on the spot. */
import { generate } from 'selfsigned'

/** PEM texts. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

/** The identity of an IPv4 address. */
export async function identity(address: string): Promise<Identity> {
  const altNames = [{ type: 7, ip: address }] as const
  const pem = await generate([{ name: 'commonName', value: address }], {
    extensions: [{ name: 'subjectAltName', altNames: [...altNames] }],
  })
  return { cert: pem.cert, key: pem.private }
}
