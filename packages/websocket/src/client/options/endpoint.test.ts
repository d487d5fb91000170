import { ConfigError } from '@bus/core'
import {
  assert,
  constantFrom,
  property,
  webAuthority,
  webPath,
  webQueryParameters,
} from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkUrl, isSecure } from './endpoint.ts'

function refusal(url: unknown): ConfigError {
  try {
    checkUrl(url)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error(`accepted ${String(url)}`)
}

describe('an accepted URL', () => {
  it.each([
    ['ws://host', 'ws://host/'],
    ['WS://Host:8080', 'ws://host:8080/'],
    ['wss://host:443/path', 'wss://host/path'],
    ['ws://host:80/a%20b?x=1&y=2', 'ws://host/a%20b?x=1&y=2'],
    ['ws://[::1]:9/', 'ws://[::1]:9/'],
    [new URL('wss://host/path?x=1'), 'wss://host/path?x=1'],
  ])('keeps path and query, in its normal form (%s)', (given, normal) => {
    expect(checkUrl(given)).toBe(normal)
    expect(checkUrl(checkUrl(given))).toBe(normal)
  })

  it('is every ws or wss URL, in either case, and no other scheme', () => {
    const authority = webAuthority({ withIPv4: true, withIPv6: true, withPort: true })
    const schemes = constantFrom('ws', 'wss', 'WS', 'Wss')
    assert(
      property(schemes, authority, webPath(), webQueryParameters(), (scheme, host, path, query) => {
        const url = checkUrl(`${scheme}://${host}${path}?${query}`)
        expect(url).toBe(new URL(`${scheme}://${host}${path}?${query}`).href)
        expect(isSecure(url)).toBe(scheme.length === 3)
      }),
    )
    const others = constantFrom('http', 'https', 'ftp', 'file', 'tcp', 'wsx', 'xws', 'javascript')
    assert(
      property(others, authority, (scheme, host) => {
        expect(refusal(`${scheme}://${host}/`).message).toContain(
          'Expected `url` to be a ws: or wss: URL with a host, got ',
        )
      }),
    )
  })
})

describe('a refused URL', () => {
  it.each([
    'ws://',
    'ws:///path',
    'ws://?x=1',
    'ws:host',
    'wss:/host',
    'ws://:80',
    'ws://host:99999',
    'ws://host\n',
    ' ws://host',
    'ws://ho st',
    '//host',
    '/path',
    'host',
    '',
    undefined,
    null,
    42,
    {},
    [],
  ])('is anything without scheme and host (%j)', (url) => {
    const error = refusal(url)
    expect(error.path).toBe('url')
    expect(error.message).toMatch(/^Expected `url` to be a ws: or wss: URL with a host, got /)
  })

  it.each(['ws://host/#part', 'ws://host#', new URL('ws://host/?x=1#part')])(
    'has a fragment (%s)',
    (url) => {
      expect(refusal(url).message).toContain('to have no fragment')
    },
  )

  it('holds credentials: the message advises headers and does not repeat them', () => {
    for (const user of ['anna:canary@', 'canary@', ':canary@']) {
      const { message } = refusal(`wss://${user}host/path?token=canary`)
      expect(message).toContain('send them in `headers`')
      expect(message).not.toContain('canary')
    }
  })

  it('shows no query value, whatever is wrong with it', () => {
    for (const url of [
      'http://host/?token=canary',
      'ws://host/?token=canary#x',
      'ws:///?t=canary',
    ]) {
      expect(refusal(url).message).not.toContain('canary')
    }
  })
})
