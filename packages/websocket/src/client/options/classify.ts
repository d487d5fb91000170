/** Which failures of a connection are worth another attempt. */
import { AuthError, BusError, HandshakeError } from '@bus/core'
import { closeCode } from '../../protocol/close-codes.ts'

/** The statuses below 500 that speak of a moment and not of the request. */
const TRANSIENT_STATUSES = new Set([408, 425, 429])
const AUTH_STATUSES = new Set([401, 403])

/** Codes of Node and OpenSSL that say the server's certificate is not to be trusted. */
const CERTIFICATE = /^(CERT_|ERR_TLS_CERT_|ERROR_IN_CERT_|UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)_)/
const CERTIFICATE_CODES = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
])

/** How far causes are followed, should they form a circle. */
const MAX_DEPTH = 8

export type Verdict = 'transient' | 'fatal'

/**
 * The default verdict on a failed attempt.
 *
 * Fatal: the server answered with a status below 500 other than 408, 425 and 429; its certificate is not trusted;
 * or the error, or one that caused it, says of itself that it is not `retryable`, such as a mistake in the options
 * or a server without our subprotocol. All else, also what is not known, is transient.
 */
export function classify(error: unknown): Verdict {
  return isFatal(error, 0) ? 'fatal' : 'transient'
}

/** Whether the server refused our credentials: fresh ones may be accepted. */
export function isAuthRefusal(error: unknown): boolean {
  if (error instanceof HandshakeError) return AUTH_STATUSES.has(error.status)
  return error instanceof AuthError
}

/** What a link that ended with this close code calls for, by the table of close codes. */
export function closePolicy(code: number): 'reconnect' | 'stop' {
  return closeCode(code).retryable ? 'reconnect' : 'stop'
}

function isFatal(error: unknown, depth: number): boolean {
  if (!(error instanceof Error) || depth > MAX_DEPTH) return false
  if (error instanceof HandshakeError) return isFatalStatus(error.status)
  if (error instanceof BusError && !error.retryable) return true
  if (isCertificateCode((error as NodeJS.ErrnoException).code)) return true
  // Several addresses were tried, and one that may come back is enough.
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every((inner) => isFatal(inner, depth + 1))
  }
  return isFatal(error.cause, depth + 1)
}

function isFatalStatus(status: number): boolean {
  return status < 500 && !TRANSIENT_STATUSES.has(status)
}

function isCertificateCode(code: unknown): boolean {
  return typeof code === 'string' && (CERTIFICATE.test(code) || CERTIFICATE_CODES.has(code))
}
