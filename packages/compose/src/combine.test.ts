import { describe, expect, test } from 'vitest'
import type { Capabilities, QueueStats } from '@bus/core'
import { memoryTransport } from '@bus/core/memory'
import { bestStatus, combineCapabilities, combineHealth, sumStats } from './combine.ts'

const strong: Capabilities = {
  delivery: 'at-least-once',
  ordering: 'total',
  wildcards: true,
  publishConfirm: true,
  resume: true,
  gaps: true,
  dedupe: true,
  echo: true,
  backpressure: { inbound: 'credits', outbound: 'block' },
  binary: true,
  maxPayload: 1_000,
  reconnect: true,
}
const weak: Capabilities = {
  delivery: 'at-most-once',
  ordering: 'none',
  wildcards: false,
  publishConfirm: false,
  resume: false,
  gaps: false,
  dedupe: false,
  echo: false,
  backpressure: { inbound: 'none', outbound: 'none' },
  binary: false,
  maxPayload: 10,
  reconnect: false,
}

describe('combined capabilities', () => {
  test('are the weakest of each promise, but what comes twice is recognised', () => {
    const both = combineCapabilities([strong, weak], { keepsOrder: true })
    expect(both).toEqual({ ...weak, dedupe: true })
    expect(Object.isFrozen(both)).toBe(true)
    expect(combineCapabilities([weak], { keepsOrder: false })).toEqual(weak)
  })

  test('promise the order of one publisher only where nothing can overtake', () => {
    const ordering = (all: readonly Capabilities[], keepsOrder: boolean): string =>
      combineCapabilities(all, { keepsOrder }).ordering
    expect(ordering([strong, strong], true)).toBe('per-publisher')
    expect(ordering([strong, strong], false)).toBe('none')
    expect(ordering([strong], false)).toBe('per-publisher')
    expect(ordering([strong, weak], true)).toBe('none')
  })

  test('hold back as the weakest does', () => {
    const memory = memoryTransport().capabilities
    const inbound = (...all: readonly Capabilities[]): string =>
      combineCapabilities(all, { keepsOrder: true }).backpressure.inbound
    expect([inbound(strong), inbound(strong, memory), inbound(strong, memory, weak)]).toEqual([
      'credits',
      'pause',
      'none',
    ])
  })

  test('of none survive a JSON round trip', () => {
    const none = combineCapabilities([], { keepsOrder: true })
    expect(JSON.parse(JSON.stringify(none))).toEqual(none)
  })
})

const stats = (more: Partial<QueueStats>): QueueStats => ({
  received: 1,
  sent: 2,
  dropped: 3,
  rejected: 4,
  size: 5,
  bytes: 6,
  capacity: 7,
  maxBytes: 8,
  waiting: 9,
  fillRatio: 0.5,
  ...more,
})

describe('combined figures', () => {
  test('add up; as full as the emptiest', () => {
    expect(sumStats([stats({}), stats({ fillRatio: 0.25 })])).toEqual({
      received: 2,
      sent: 4,
      dropped: 6,
      rejected: 8,
      size: 10,
      bytes: 12,
      capacity: 14,
      maxBytes: 16,
      waiting: 18,
      fillRatio: 0.25,
    })
    expect(sumStats([])).toMatchObject({ size: 0, fillRatio: 0 })
  })

  test('show the status that is nearest to sending', () => {
    const idle = { state: 'idle', since: 1 } as const
    const ready = { state: 'ready', since: 2, generation: 1, protocol: '' } as const
    expect(bestStatus([idle, ready, { ...ready, since: 3 }])).toBe(ready)
    expect(bestStatus([])).toBeUndefined()
  })

  test('are up while all are, degraded while one is, and down without one', () => {
    const up = { name: 'a', health: { status: 'up', reasons: [], lastInboundAgeMs: 7 } } as const
    const down = { name: 'b', health: { status: 'down', reasons: ['gone'] } } as const
    const queue = stats({})
    expect(combineHealth([up, up], queue)).toMatchObject({ status: 'up', lastInboundAgeMs: 7 })
    expect(combineHealth([up, down], queue)).toMatchObject({
      status: 'degraded',
      reasons: ['b: gone'],
    })
    expect(combineHealth([down], queue)).toMatchObject({ status: 'down' })
    expect(combineHealth([], queue)).toMatchObject({ status: 'down' })
  })
})
