/** What a failed attempt, or the end of a link, calls for where the options do not say: another attempt or none. */

import { AuthError, BusError, HandshakeError } from '@bus/core'
import { closeCode as rowOf } from '../../protocol/close-codes.ts'

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

/** Whether another attempt can help. */
export type FailureClass = 'transient' | 'fatal'

/**
 * The default class of a failure.
 *
 * For a link that ended, the table of close codes decides. For an attempt that failed, fatal are: a status below 500 other
 * than 408, 425 and 429; a certificate that is not trusted; and an error that says of itself, or of one that caused it, that
 * it is not `retryable`, such as a mistake in the options or a server without our subprotocol. All else, also what is not
 * known, is transient.
 *
 * @param closeCode - with which the link ended; `undefined` for a failed attempt
 */
export function classify(error: unknown, closeCode?: number): FailureClass {
  if (closeCode !== undefined) return rowOf(closeCode).retryable ? 'transient' : 'fatal'
  return isFatal(error, 0) ? 'fatal' : 'transient'
}

/** Whether the server refused our credentials: fresh ones may be accepted. */
export function isAuthRefusal(error: unknown): boolean {
  if (error instanceof HandshakeError) return AUTH_STATUSES.has(error.status)
  return error instanceof AuthError
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
