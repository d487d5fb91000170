import { describe, expect, test } from 'vitest'
import { plainJson } from '../../protocol/plain-json.ts'
import { mergeConfig, type ClientConfig } from './merge-config.ts'
import { resolveOptions } from './options.ts'

const url = 'ws://localhost/'

describe('layers of options', () => {
  test('the later one wins, also inside of groups, and what it does not name stays', () => {
    const base: ClientConfig = {
      compression: true,
      maxAttempts: 3,
      heartbeat: { intervalMs: 1_000, timeoutMs: 500 },
      reconnect: { maxAttempts: 7 },
    }
    const own: ClientConfig = { maxAttempts: 9, heartbeat: { timeoutMs: 200 } }
    expect(mergeConfig(base, { url, ...own })).toEqual({
      url,
      compression: true,
      maxAttempts: 9,
      heartbeat: { intervalMs: 1_000, timeoutMs: 200 },
      reconnect: { maxAttempts: 7 },
    })
  })

  test.each(['breaker', 'heartbeat', 'queue', 'reconnect', 'timeouts', 'tls'])(
    'merge the members of %s, one level deep',
    (name) => {
      const merged = mergeConfig<object>(
        { [name]: { kept: 1, replaced: { a: 1 } } },
        { [name]: { replaced: { b: 2 }, added: 3, absent: undefined } },
      )
      expect(merged).toEqual({ [name]: { kept: 1, replaced: { b: 2 }, added: 3 } })
    },
  )

  test('replace everything else whole', () => {
    const [one, two] = [plainJson(), plainJson()]
    expect(mergeConfig<ClientConfig>({ protocol: one }, { protocol: two }).protocol).toBe(two)
    expect(mergeConfig<ClientConfig>({ protocols: ['a'] }, { protocols: ['b'] })).toEqual({
      protocols: ['b'],
    })
  })

  test('switch a group off and on again', () => {
    expect(
      mergeConfig<ClientConfig>({ heartbeat: { intervalMs: 1 } }, { heartbeat: false }),
    ).toEqual({ heartbeat: false })
    expect(
      mergeConfig<ClientConfig>({ heartbeat: false }, { heartbeat: { intervalMs: 1 } }),
    ).toEqual({ heartbeat: { intervalMs: 1 } })
  })

  test.each([undefined, null])('leave as it is what the later one has as %s', (absent) => {
    const own = { url, maxAttempts: absent, queue: absent, heartbeat: { timeoutMs: absent } }
    const base: ClientConfig = {
      maxAttempts: 2,
      queue: { capacity: 5 },
      heartbeat: { timeoutMs: 3 },
    }
    expect(mergeConfig(base, own as never)).toEqual({ url, ...base })
  })

  test('send no header twice, whatever its spelling, and replace a function', () => {
    const base = { headers: { Authorization: 'Bearer a', 'x-kept': '1' } }
    expect(mergeConfig(base, { url, headers: { authorization: 'Bearer b' } }).headers).toEqual({
      'x-kept': '1',
      authorization: 'Bearer b',
    })
    const make = (): Record<string, string> => ({ 'x-made': '1' })
    expect(mergeConfig(base, { url, headers: make }).headers).toBe(make)
    expect(mergeConfig({ headers: make }, { url, headers: { a: 'b' } }).headers).toEqual({ a: 'b' })
  })

  test('are not changed, and neither is what they hold', () => {
    const base = Object.freeze({ queue: Object.freeze({ capacity: 5 }) })
    const own = Object.freeze({ url, queue: Object.freeze({ strategy: 'reject' as const }) })
    const merged = mergeConfig(base, own)
    expect(merged.queue).toEqual({ capacity: 5, strategy: 'reject' })
    expect(Object.isFrozen(merged)).toBe(true)
    expect(base).toEqual({ queue: { capacity: 5 } })
    expect(own).toEqual({ url, queue: { strategy: 'reject' } })
  })

  test('are checked as one', () => {
    const merged = mergeConfig(
      { heartbeat: { intervalMs: 1_000 } },
      { url, heartbeat: { timeoutMs: 5_000 } },
    )
    expect(() => resolveOptions(merged)).toThrow(
      expect.objectContaining({ path: 'heartbeat.timeoutMs' }) as Error,
    )
  })

  test.each([
    [null, {}, 'base'],
    [{}, 'x', 'own'],
    [{}, [], 'own'],
    [new Map(), {}, 'base'],
  ])('that are no objects are refused: %o under %o', (base, own, path) => {
    expect(() => mergeConfig(base as object, own as object)).toThrow(
      expect.objectContaining({ code: 'config', path }) as Error,
    )
  })
})
