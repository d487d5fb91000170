/** Exposure: keeps credentials off a way on which anybody between could read them. */
import { ConfigError, isSecretName } from '@bus/core'
import { isSecure } from './endpoint.ts'
import type { Headers } from './headers.ts'
import type { ResolvedOptions } from './options.ts'

type Way = Pick<ResolvedOptions, 'url' | 'allowInsecure'>

/** Names of this machine, in the form that a parsed URL has. */
const THIS_MACHINE = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** @throws `ConfigError` when the options show credentials on a way that is not secure, unless they allow it. */
export function refuseExposedCredentials(options: ResolvedOptions): void {
  if (!isExposed(options)) return
  const { url, headers, protocol, handlers } = options
  const names = [...new URL(url).searchParams.keys()]
  if (names.some((name) => isSecretName(name))) throw exposed('url')
  if (typeof headers !== 'function') refuseExposedHeaders(options, headers)
  if (protocol.credentials !== undefined || protocol.authenticate !== undefined) {
    throw exposed('protocol')
  }
  if (handlers?.auth !== undefined) throw exposed('handlers.auth')
}

/** The same for the headers of one attempt. Their values are not shown. */
export function refuseExposedHeaders(way: Way, headers: Headers): void {
  const secret = Object.keys(headers).find((name) => isSecretName(name))
  if (secret !== undefined && isExposed(way)) throw exposed(`headers.${secret}`)
}

/** Without TLS, and not to this machine. */
function isExposed({ url, allowInsecure }: Way): boolean {
  return !allowInsecure && !isSecure(url) && !THIS_MACHINE.test(new URL(url).hostname)
}

function exposed(path: string): ConfigError {
  const advice = 'use a wss: URL, or say `allowInsecure: true` where nobody else is on the way'
  return new ConfigError(path, `Expected no credentials over ws: to another machine: ${advice}`)
}
