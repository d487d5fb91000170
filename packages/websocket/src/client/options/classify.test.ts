import {
  AbortedError,
  AttemptsExhaustedError,
  AuthError,
  BootstrapError,
  ConfigError,
  ConnectionError,
  HandshakeError,
  HeartbeatTimeoutError,
  ProtocolError,
  TimeoutError,
} from '@bus/core'
import { describe, expect, it } from 'vitest'
import { CLOSE_CODES } from '../../protocol/close-codes.ts'
import { classify, isAuthRefusal } from './classify.ts'

const answer = (status: number) => new HandshakeError({ status, headers: {}, body: '' })
const system = (code: string) => Object.assign(new Error(code), { code })
const failed = (cause: unknown) => new ConnectionError('Could not connect', { cause })

describe('the default classification', () => {
  it.each([408, 425, 429, 500, 502, 503, 504, 599])('retries status %d', (status) => {
    expect(classify(answer(status))).toBe('transient')
  })

  it.each([200, 204, 301, 302, 307, 308, 400, 401, 403, 404, 410, 426, 451])(
    'does not retry status %d',
    (status) => {
      expect(classify(answer(status))).toBe('fatal')
    },
  )

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE', 'EMFILE'])(
    'retries the system error %s, bare or as a cause',
    (code) => {
      expect(classify(system(code))).toBe('transient')
      expect(classify(failed(system(code)))).toBe('transient')
    },
  )

  it.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'CERT_REVOKED',
    'CERT_UNTRUSTED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'HOSTNAME_MISMATCH',
    'INVALID_CA',
  ])('does not retry the certificate error %s, bare or as a cause', (code) => {
    expect(classify(system(code))).toBe('fatal')
    expect(classify(failed(system(code)))).toBe('fatal')
    expect(classify(failed(failed(system(code))))).toBe('fatal')
  })

  it.each([
    new ConfigError('url', 'no'),
    new ProtocolError('no subprotocol'),
    new AuthError('no'),
    new AttemptsExhaustedError('no'),
    new AbortedError('Connecting'),
    new BootstrapError('headers', { cause: new ConfigError('headers.a', 'line break') }),
    new ConnectionError('hopeless', { retryable: false }),
  ])('does not retry what says that it cannot help: %s', (error) => {
    expect(classify(error)).toBe('fatal')
  })

  it.each([
    new TimeoutError('late'),
    new HeartbeatTimeoutError('silent'),
    new BootstrapError('token service', { cause: new TypeError('fetch failed') }),
    new ConnectionError('gone'),
    new Error('unknown'),
    'a string',
    undefined,
    null,
  ])('retries everything else, also what is not known: %s', (error) => {
    expect(classify(error)).toBe('transient')
  })

  it('judges several addresses by the best of them', () => {
    const expired = system('CERT_HAS_EXPIRED')
    const refused = system('ECONNREFUSED')
    expect(classify(failed(new AggregateError([expired, refused])))).toBe('transient')
    expect(classify(failed(new AggregateError([expired, expired])))).toBe('fatal')
    expect(classify(failed(new AggregateError([])))).toBe('transient')
  })

  it('ends when causes form a circle', () => {
    const error = new Error('circle')
    error.cause = error
    expect(classify(error)).toBe('transient')
  })
})

describe('a refusal of our credentials', () => {
  it('is status 401 or 403, or an AuthError', () => {
    expect([answer(401), answer(403), new AuthError('no')].map(isAuthRefusal)).toEqual([
      true,
      true,
      true,
    ])
    expect(
      [answer(404), answer(407), answer(500), new Error('no'), null].map(isAuthRefusal),
    ).toEqual([false, false, false, false, false])
  })
})

describe('the end of a link', () => {
  it('follows the table of close codes', () => {
    const failures = [new ConnectionError('gone'), new AuthError('no')]
    for (const error of failures) {
      for (const { code, retryable } of CLOSE_CODES) {
        expect(classify(error, code)).toBe(retryable ? 'transient' : 'fatal')
      }
      expect(classify(error, 4777)).toBe('transient')
      expect(classify(error, 4123)).toBe('fatal')
    }
  })
})
