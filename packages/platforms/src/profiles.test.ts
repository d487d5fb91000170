import { ConnectionError } from '@bus/core'
import { mergeConfig, defaults, parseWebSocketOptions } from '@bus/websocket'
import { profiles } from './profiles.ts'
import { describe, expect, test } from 'vitest'

const url = 'ws://localhost/'
const names = ['financial', 'standard', 'lightweight', 'messaging'] as const

/** The longest and the shortest wait after the nth failure. */
function waits(name: (typeof names)[number], failures: number): number {
  const { reconnect } = parseWebSocketOptions(mergeConfig(profiles[name], { url }))
  const lost = new ConnectionError('lost')
  return reconnect === false ? 0 : Number(reconnect.backoff(failures, () => 0.999_999, lost))
}

describe.each(names)('the profile %s', (name) => {
  test('is valid, and cannot be changed', () => {
    expect(() => parseWebSocketOptions(mergeConfig(profiles[name], { url }))).not.toThrow()
    expect(Object.isFrozen(profiles[name])).toBe(true)
    for (const value of Object.values(profiles[name])) {
      expect(Object.isFrozen(value) || typeof value !== 'object').toBe(true)
    }
  })

  test('yields to own options', () => {
    const own = { url, queue: { capacity: 7 }, heartbeat: { intervalMs: 60_000 } }
    const options = parseWebSocketOptions(mergeConfig(profiles[name], own))
    expect(options.queue.capacity).toBe(7)
    expect(options.heartbeat).toMatchObject({ intervalMs: 60_000 })
  })
})

test('the financial profile refuses what cannot go now, and finds a dead link soon', () => {
  expect(parseWebSocketOptions(mergeConfig(profiles.financial, { url }))).toMatchObject({
    whenDisconnected: 'reject',
    maxAttempts: 1,
    queue: { strategy: 'reject', capacity: 10_000 },
    heartbeat: { intervalMs: 5_000, timeoutMs: 2_000 },
    breaker: { failureThreshold: 10 },
    timeouts: { connectMs: 5_000, bootstrapMs: 5_000 },
  })
  expect(waits('financial', 1)).toBeLessThanOrEqual(50)
  expect(waits('financial', 50)).toBeLessThanOrEqual(5_000)
})

test('the standard profile is what holds without a profile', () => {
  const { queue, heartbeat, breaker, timeouts } = parseWebSocketOptions(
    mergeConfig(profiles.standard, { url }),
  )
  expect({ queue, heartbeat, breaker, timeouts }).toEqual({
    queue: defaults.queue,
    heartbeat: defaults.heartbeat,
    breaker: defaults.breaker,
    timeouts: defaults.timeouts,
  })
})

test('the lightweight profile holds little, and speaks seldom', () => {
  expect(parseWebSocketOptions(mergeConfig(profiles.lightweight, { url }))).toMatchObject({
    queue: { capacity: 100, maxBytes: 1_048_576, strategy: 'drop-oldest' },
    maxMessageBytes: 65_536,
    highWaterMarkBytes: 65_536,
    heartbeat: { intervalMs: 55_000, maxMissed: 2 },
  })
  expect(waits('lightweight', 50)).toBeGreaterThan(60_000)
})

test('the messaging profile keeps what was written', () => {
  expect(parseWebSocketOptions(mergeConfig(profiles.messaging, { url }))).toMatchObject({
    whenDisconnected: 'queue',
    maxAttempts: 20,
    queue: { capacity: 5_000, strategy: 'block' },
    heartbeat: { intervalMs: 20_000 },
  })
  expect(waits('messaging', 50)).toBeLessThanOrEqual(15_000)
})
