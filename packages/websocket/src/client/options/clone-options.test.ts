import { RateLimiter } from '@bus/rate-limit'
import { Recorder } from '@bus/recording'
import { ConfigError, InMemoryMetrics, backoff } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { plainJson } from '../../protocol/plain-json.ts'
import type { Protocol } from '../../protocol/protocol.ts'
import { busV1 } from '../bus-v1.ts'
import { cloneOptions } from './clone-options.ts'
import { resolveOptions, type ResolvedOptions, type WebSocketTransportOptions } from './options.ts'

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
    const { url, headers, ...rest } = clone(full, { url: 'wss://b.example/', headers: { A: 'b' } })
    expect([url, headers]).toEqual(['wss://b.example/', { A: 'b' }])
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
    const copy = clone(full, overrides as unknown as Partial<WebSocketTransportOptions>)
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
