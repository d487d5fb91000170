import { assert, property, string, webUrl } from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  REDACTED,
  describeValue,
  isSecretName,
  printable,
  redactText,
  redactUrl,
} from './redact.ts'

describe('names of secrets', () => {
  test.each([
    'authorization',
    'Proxy-Authorization',
    'headers.x-tenant',
    'request.headers.accept',
    'cookie',
    'set-cookie',
    'password',
    'passwd',
    'db_pwd',
    'clientSecret',
    'accessToken',
    'token',
    'x-api-key',
    'apiKey',
    'accessKey',
    'signing_key',
    'tls.key',
    'tls.passphrase',
    'tls.pfx',
    'privateKey',
    'auth',
    'proxy.auth',
    'credentials',
    'jwt',
    'bearer',
    'sessionId',
    'signature',
  ])('%s is one', (name) => {
    expect(isSecretName(name)).toBe(true)
  })

  test.each(['url', 'capacity', 'headers', 'monkey', 'author', 'keyCount', 'tls.ca', 'type', ''])(
    '%s is none',
    (name) => {
      expect(isSecretName(name)).toBe(false)
    },
  )
})

describe('URLs', () => {
  test.each([
    ['wss://user:canary@host:8443/path', `wss://${REDACTED}@host:8443/path`],
    ['wss://canary@host/', `wss://${REDACTED}@host/`],
    ['wss://host/a?token=canary&room=canary', `wss://host/a?token=${REDACTED}&room=${REDACTED}`],
    ['wss://host/a?canary', `wss://host/a?${REDACTED}`],
    ['wss://host/a#canary', 'wss://host/a'],
    ['wss://host/a?x%0Ay=canary', `wss://host/a?x%0Ay=${REDACTED}`],
    ['wss://host/path', 'wss://host/path'],
    ['wss://user:ca@nary@host:noport/', `wss://${REDACTED}@host:noport/`],
    ['wss://user:ca/nary@host:noport/?canary', `wss://${REDACTED}@host:noport/?${REDACTED}`],
    ['wss://host:noport/?a=canary', `wss://host:noport/?${REDACTED}`],
    ['//user:canary@host/path', `//${REDACTED}@host/path`],
    ['user:canary@host:80', `${REDACTED}@host:80`],
    ['localhost:8080', 'localhost:8080'],
    ['not a url', 'not a url'],
  ])('%s is shown as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown)
  })

  test('user, password and query never show, whatever the rest of the URL is', () => {
    const canary = 'canary7f3a'
    assert(
      property(webUrl({ withQueryParameters: true }), string(), (base, junk) => {
        const { host, pathname } = new URL(base)
        const text = `wss://me:${canary}@${host}${pathname}?q=${encodeURIComponent(junk)}${canary}`
        return !redactUrl(text).includes(canary)
      }),
    )
  })

  test('a text that is no URL and no authorization stays as it is', () => {
    expect(redactText('order.created?')).toBe('order.created?')
    expect(redactText('Bearer canary')).toBe(REDACTED)
    expect(redactText('basic canary')).toBe(REDACTED)
    expect(redactText('wss://a:canary@host/')).not.toContain('canary')
  })
})

describe('values in messages', () => {
  test.each([
    [0, '`0` (number)'],
    ['five', '`five` (string)'],
    [null, '`null` (null)'],
    [undefined, '`undefined` (undefined)'],
    [10n, '`10` (bigint)'],
    [Symbol('s'), '`Symbol(s)` (symbol)'],
    [[1], '`[…]` (array)'],
    [{ password: 'canary' }, '`{…}` (object)'],
    [isSecretName, '`isSecretName` (function)'],
    [() => 1, '`function` (function)'],
    ['wss://u:canary@h/', '`wss://[redacted]@h/` (string)'],
    ['u:canary@h', '`[redacted]@h` (string)'],
    ['Bearer canary', '`[redacted]` (string)'],
  ])('%o is quoted as %s', (value, quoted) => {
    expect(describeValue(value)).toBe(quoted)
  })

  test('the value of a secret is never quoted, only its type', () => {
    expect(describeValue('canary', 'tls.passphrase')).toBe('[redacted] (string)')
    expect(describeValue(['canary'], 'tls.key')).toBe('[redacted] (array)')
  })

  test('characters that forge or reorder lines of a log are replaced', () => {
    const text = 'a\nb\r\u001b[31mc\u202ed\u2028e\u200bf\u0000'
    expect(printable(text)).toBe('a\uFFFDb\uFFFD\uFFFD[31mc\uFFFDd\uFFFDe\uFFFDf\uFFFD')
    expect(describeValue(text)).not.toMatch(/\p{Cc}|\p{Cf}|\p{Zl}/u)
  })

  test('no value makes a message long', () => {
    assert(
      property(
        string({ minLength: 0, maxLength: 1_000 }),
        (text) => describeValue(text).length < 110,
      ),
    )
    expect(describeValue('x'.repeat(1_000_000))).toBe(`\`${'x'.repeat(80)}…\` (string)`)
  })
})
