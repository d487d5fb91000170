import { systemClock } from '@bus/core/kit'
import { describe, expect, test } from 'vitest'
import { resolveOptions, type MockServerOptions } from './options.ts'

describe('resolveOptions', () => {
  test('fills in the defaults, also for options that are undefined, and freezes', () => {
    const expected = {
      port: 0,
      host: '127.0.0.1',
      perMessageDeflate: false,
      headers: {},
      clock: systemClock,
    }
    expect(resolveOptions()).toEqual(expected)
    const given = { port: undefined, path: undefined } as unknown as MockServerOptions
    expect(resolveOptions(given)).toEqual(expected)
    expect(Object.isFrozen(resolveOptions())).toBe(true)
  })

  test('leaves the object of the caller as it was', () => {
    const given = Object.freeze({ path: '/x' })
    expect(resolveOptions(given)).toMatchObject({ path: '/x', port: 0 })
    expect(given).toEqual({ path: '/x' })
  })

  test.each([
    ['port', -1],
    ['port', 65_536],
    ['port', '80'],
    ['host', ''],
    ['path', 'events'],
    ['path', '/a?b'],
    ['tls', {}],
    ['tls', { key: '', cert: 'x' }],
    ['handler', 'reverse'],
    ['onConnection', {}],
    ['subprotocols', 'v1'],
    ['subprotocols', [1]],
    ['perMessageDeflate', 1],
    ['headers', { 'X-A': 1 }],
    ['headers', { 'X-A': 'a\nb' }],
    ['clock', {}],
  ])('does not take %s %o', (path, value) => {
    expect(() => resolveOptions({ [path]: value })).toThrow(
      expect.objectContaining({
        code: 'config',
        path,
        message: expect.stringMatching(`^Expected \`${path}\` to be .+, got `),
      }),
    )
  })

  test('does not take an option that it does not know', () => {
    expect(() => resolveOptions({ prot: 1 } as MockServerOptions)).toThrow(
      /Unknown option `prot`; there are port, host, /,
    )
    expect(() => resolveOptions(JSON.parse('{"toString":1}') as MockServerOptions)).toThrow(
      /Unknown option `toString`/,
    )
  })

  test('does not take something that is no object', () => {
    expect(() => resolveOptions(8080 as unknown as MockServerOptions)).toThrow(
      /Expected `options` to be an object, got `8080` \(number\)/,
    )
  })

  test('does not show a private key in its message', () => {
    const tls = 'BEGIN PRIVATE KEY' as unknown as NonNullable<MockServerOptions['tls']>
    expect(() => resolveOptions({ tls: { key: 'the key' } as typeof tls })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('the key') }),
    )
  })
})
