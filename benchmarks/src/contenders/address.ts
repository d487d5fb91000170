/** Where a server listens, as a URL. */
import type { AddressInfo } from 'node:net'

/** The URL of a TCP address on 127.0.0.1. */
export function addressOf(address: AddressInfo | string | null, scheme: string): string {
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP port')
  return `${scheme}://127.0.0.1:${address.port}`
}
