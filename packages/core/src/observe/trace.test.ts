import { describe, expect, test } from 'vitest'
import { HandshakeError } from '../contract/errors.ts'
import type { TransportStatus } from '../contract/status.ts'
import { StateTrace, type StateTraceOptions } from './trace.ts'

const WALL = Date.UTC(2026, 0, 2, 3, 4, 5)
const cause = new HandshakeError({ status: 503, headers: {}, body: '' })

/** A trace that began at 1000 ms of the monotonic clock. */
function start(options: StateTraceOptions = {}): StateTrace {
  return new StateTrace({ state: 'idle', since: 1_000 }, { now: () => WALL, ...options })
}

function noteAll(trace: StateTrace, statuses: readonly TransportStatus[]): StateTrace {
  for (const status of statuses) trace.note(status)
  return trace
}

/** One failed attempt, then a link, lost and made again. */
const LIFE: readonly TransportStatus[] = [
  { state: 'connecting', since: 1_010, attempt: 1 },
  { state: 'backoff', since: 1_020, attempt: 1, delayMs: 30, cause },
  { state: 'connecting', since: 1_050, attempt: 2 },
  { state: 'bootstrapping', since: 1_060, attempt: 2, generation: 1 },
  { state: 'ready', since: 1_070, generation: 1, protocol: 'bus.v1' },
  { state: 'backoff', since: 1_170, attempt: 1, delayMs: 5, cause },
  { state: 'connecting', since: 1_175, attempt: 1 },
  { state: 'bootstrapping', since: 1_180, attempt: 1, generation: 2 },
  { state: 'ready', since: 1_185, generation: 2, protocol: 'bus.v1' },
]

describe('transitions', () => {
  test('are kept in order, with their times, what the state knew and why it was entered', () => {
    const { transitions, startedAt } = noteAll(start(), LIFE).read(1_200)
    expect(startedAt).toBe('2026-01-02T03:04:05.000Z')
    expect(transitions.map(({ from, to }) => `${from} ${to}`).slice(0, 3)).toEqual([
      'idle connecting',
      'connecting backoff',
      'backoff connecting',
    ])
    expect(transitions[1]).toEqual({
      atMs: 20,
      from: 'connecting',
      to: 'backoff',
      lastedMs: 10,
      details: { attempt: 1, delayMs: 30 },
      cause: { name: 'HandshakeError', code: 'handshake', message: expect.stringMatching('503') },
    })
    expect(transitions[4]).toMatchObject({ details: { generation: 1, protocol: 'bus.v1' } })
  })

  test('beyond the capacity the oldest are forgotten, and stay in the statistics', () => {
    const trace = noteAll(start({ capacity: 2 }), LIFE).read(1_200)
    expect(trace.transitions.map(({ to }) => to)).toEqual(['bootstrapping', 'ready'])
    expect(trace.forgotten).toBe(7)
    expect(trace.states.connecting?.entered).toBe(3)
  })

  test.each([0, 1.5, -1])('a capacity of %s is refused', (capacity) => {
    expect(() => start({ capacity })).toThrow(/Expected `capacity` to be an integer ≥ 1/)
  })

  test('what was read does not change any more', () => {
    const trace = start()
    const before = trace.read(1_000)
    noteAll(trace, LIFE)
    expect(before.transitions).toEqual([])
    expect(Object.isFrozen(before)).toBe(true)
  })
})

describe('statistics', () => {
  test('say how often each state was entered and how long it lasted, the present one until now', () => {
    const { states, ageMs, state } = noteAll(start(), LIFE).read(1_200)
    expect(states).toEqual({
      idle: { entered: 1, totalMs: 10 },
      connecting: { entered: 3, totalMs: 25 },
      backoff: { entered: 2, totalMs: 35 },
      bootstrapping: { entered: 2, totalMs: 15 },
      ready: { entered: 2, totalMs: 115 },
    })
    expect([ageMs, state]).toEqual([200, 'ready'])
  })

  test('count reconnects and failed attempts, and a lost link is neither of the latter', () => {
    expect(noteAll(start(), LIFE).read(1_200)).toMatchObject({ reconnects: 1, failures: 1 })
    expect(start().read(1_000)).toMatchObject({ reconnects: 0, failures: 0 })
  })

  test('a close by hand while connecting is no failure', () => {
    const trace = noteAll(start(), [
      { state: 'connecting', since: 1_010, attempt: 1 },
      { state: 'closed', since: 1_020, cause: undefined },
    ])
    expect(trace.read(1_020).failures).toBe(0)
  })

  test('the uptime is that of the link of now, also while it drains, and 0 without one', () => {
    const trace = noteAll(start(), LIFE)
    expect(trace.read(1_200).uptimeMs).toBe(15)
    trace.note({ state: 'draining', since: 1_210 })
    expect(trace.read(1_220).uptimeMs).toBe(35)
    trace.note({ state: 'closed', since: 1_230, cause: undefined })
    expect(trace.read(1_240).uptimeMs).toBe(0)
  })
})

test('the export is JSON without loss', () => {
  const trace = noteAll(start(), LIFE).read(1_200)
  expect(JSON.parse(JSON.stringify(trace))).toEqual(trace)
})
