import { ConfigError, InMemoryMetrics, backoff } from '@bus/core'
import { RateLimiter } from '@bus/rate-limit'
import { Recorder } from '@bus/recording'
import { describe, expect, test } from 'vitest'
import { plainJson } from '../../protocol/plain-json.ts'
import type { Protocol } from '../../protocol/protocol.ts'
import { busV1 } from '../bus-v1.ts'
import { cloneOptions, mergeConfig, type ClientConfig } from './merge-config.ts'
import type { ResolvedOptions, WebSocketTransportOptions } from './options.ts'
import { resolveOptions } from './resolve-options.ts'

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

const full: WebSocketTransportOptions = {
  url: 'wss://a.example/events?x=1',
  protocol: plainJson(),
  protocols: ['v1'],
  headers: { Authorization: 'Bearer t' },
  tls: { ca: 'PEM', servername: 'a' },
  timeouts: { connectMs: 1_000, closeMs: 500 },
  onOpen: () => [],
  reconnect: { maxAttempts: 7, backoff: backoff.constant({ delayMs: 9 }) },
  heartbeat: { intervalMs: 5_000, timeoutMs: 1_000 },
  idleTimeoutMs: 60_000,
  breaker: { failureThreshold: 2 },
  queue: { capacity: 5, strategy: 'reject' },
  whenDisconnected: 'reject',
  maxAttempts: 2,
  highWaterMarkBytes: 100,
  maxMessageBytes: 200,
  compression: true,
  allowInsecure: true,
  admission: new RateLimiter({ capacity: 5 }),
}

const clone = (
  options: WebSocketTransportOptions,
  overrides?: Partial<WebSocketTransportOptions>,
): ResolvedOptions => resolveOptions(cloneOptions(resolveOptions(options), overrides))

describe('the options of a clone', () => {
  test('are the same, every one of them', () => {
    const own = resolveOptions(full)
    expect({ ...resolveOptions(cloneOptions(own)) }).toEqual({ ...own })
  })

  test('are the defaults where those were', () => {
    const own = resolveOptions({ url: 'ws://a', protocol: plainJson() })
    const copy = resolveOptions(cloneOptions(own))
    // The functions in there are the same ones as well, but for the backoff, which each has of its own.
    expect(JSON.stringify(copy)).toBe(JSON.stringify(own))
  })

  test('differ in what is overridden, and in nothing else', () => {
    const {
      url: other,
      headers,
      ...rest
    } = clone(full, { url: 'wss://b.example/', headers: { A: 'b' } })
    expect([other, headers]).toEqual(['wss://b.example/', { A: 'b' }])
    const { url: _url, headers: _headers, ...own } = resolveOptions(full)
    expect(rest).toEqual(own)
  })

  test('keep the members of a group that the override does not name', () => {
    const { reconnect, queue, timeouts, heartbeat, breaker, tls } = clone(full, {
      reconnect: { stableAfterMs: 3 },
      queue: { strategy: 'block' },
      timeouts: { closeMs: 9 },
      heartbeat: { maxMissed: 4 },
      breaker: { openMs: 8 },
      tls: { servername: 'b' },
    })
    expect(reconnect).toMatchObject({ maxAttempts: 7, stableAfterMs: 3 })
    expect(queue).toMatchObject({ capacity: 5, strategy: 'block' })
    expect(timeouts).toMatchObject({ connectMs: 1_000, closeMs: 9 })
    expect(heartbeat).toMatchObject({ intervalMs: 5_000, maxMissed: 4 })
    expect(breaker).toMatchObject({ failureThreshold: 2, openMs: 8 })
    expect(tls).toMatchObject({ ca: 'PEM', servername: 'b' })
  })

  test('switch a group off, and on again', () => {
    const off = clone(full, { reconnect: false, heartbeat: false, breaker: false })
    expect([off.reconnect, off.heartbeat, off.breaker]).toEqual([false, false, false])
    const on = resolveOptions(cloneOptions(off, { reconnect: { maxAttempts: 1 } }))
    expect(on.reconnect).toMatchObject({ maxAttempts: 1, stableAfterMs: 10_000 })
  })

  test('stay where an override is undefined', () => {
    const overrides = { maxAttempts: undefined, queue: undefined, timeouts: { closeMs: undefined } }
    const copy = clone(full, overrides)
    expect(copy).toMatchObject({ maxAttempts: 2, timeouts: { closeMs: 500 } })
    expect(copy.queue).toMatchObject({ capacity: 5 })
  })

  test('leave the watch and the collector of figures to the original', () => {
    const metrics = new InMemoryMetrics()
    const copy = clone({ ...full, metrics, watch: new Recorder({ to: 'events.jsonl' }) })
    expect([copy.metrics, copy.watch]).toEqual([undefined, undefined])
    const own = new InMemoryMetrics()
    expect(clone({ ...full, metrics }, { metrics: own }).metrics).toBe(own)
  })

  test('do not change those of the original', () => {
    const own = resolveOptions(full)
    const before = JSON.stringify(own)
    cloneOptions(own, { queue: { capacity: 1 }, url: 'wss://b' })
    expect(JSON.stringify(own)).toBe(before)
  })

  test('have a protocol of their own where it can be cloned, and the same one where it keeps no state', () => {
    const stateful: Protocol = { ...plainJson(), clone: () => ({ ...stateful }) }
    expect(clone({ url: 'ws://a', protocol: stateful }).protocol).not.toBe(stateful)
    const stateless = plainJson()
    expect(clone({ url: 'ws://a', protocol: stateless }).protocol).toBe(stateless)
    const hub = clone({ url: 'ws://a', protocol: busV1({ fallback: stateful }) }).protocol
    expect(hub.fallback?.name).toBe(stateful.name)
    expect(hub.fallback).not.toBe(stateful)
    expect(clone({ url: 'ws://a', protocol: stateful }, { protocol: stateless }).protocol).toBe(
      stateless,
    )
  })

  test.each([null, 'x', 3])('refuse %j as overrides', (overrides) => {
    expect(() => clone(full, overrides as unknown as Partial<WebSocketTransportOptions>)).toThrow(
      ConfigError,
    )
  })

  test('refuse an override that is no option, or no value of it, by its name', () => {
    const wrong = { urll: 'x' } as Partial<WebSocketTransportOptions>
    expect(() => clone(full, wrong)).toThrow('did you mean `url`?')
    expect(() => clone(full, { maxAttempts: 0 })).toThrow(/`maxAttempts`/)
    expect(() => clone(full, { url: 'ws://a' })).toThrow(/`tls` only with a wss: URL/)
  })
})
