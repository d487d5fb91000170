import { describe, expect, test } from 'vitest'
import type { ReconnectBackoff, ReconnectOptions } from '../src/index.ts'
import { FakeClock } from './fake-clock.ts'
import { cut, only, record, serve, transportTo, until } from './harness.ts'

interface Retry {
  readonly left: number
  readonly delayMs: number
  readonly note: string
}

const start: Retry = { left: 3, delayMs: 4, note: 'mine' }

/** As a user would write one: it counts down, waits longer each time and keeps what else its state holds. */
function countDown(states: Retry[]): ReconnectBackoff {
  let state = start
  return (attempt) => {
    if (attempt === 1) state = start
    states.push(state)
    const { left, delayMs } = state
    state = { ...state, left: left - 1, delayMs: delayMs * 2 }
    return left === 0 ? 'stop' : delayMs
  }
}

describe('a retry function', () => {
  test('sets the waits from its own state, and ends the transport when it says stop', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const states: Retry[] = []
    const transport = transportTo(server, { reconnect: { backoff: countDown(states) } })
    const notices = record(transport)
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({
      code: 'attempts-exhausted',
      cause: { code: 'handshake' },
    })
    const waits = only(notices, 'status').flatMap(({ status }) =>
      status.state === 'backoff' ? [status.delayMs] : [],
    )
    expect(waits).toEqual([4, 8, 16])
    expect(states.map(({ left }) => left)).toEqual([3, 2, 1, 0])
    expect(states.every(({ note }) => note === 'mine')).toBe(true)
  })

  test('starts from its first state again after a link that lasted, and not before', async () => {
    const server = await serve()
    const clock = new FakeClock()
    const states: Retry[] = []
    const transport = transportTo(server, {
      clock,
      heartbeat: false,
      reconnect: { stableAfterMs: 30_000, backoff: countDown(states) },
    })
    await transport.connect()
    for (const lastedMs of [30_000, 29_999, 30_000]) {
      clock.advance(lastedMs)
      await cut(server, transport)
      clock.advance(start.delayMs * 2)
      await until(() => transport.status.state === 'ready', 'ready again')
    }
    expect(states.map(({ left }) => left)).toEqual([3, 2, 3])
  })

  test('that throws is reported, and the default backoff stands in', async () => {
    const server = await serve()
    const transport = transportTo(server, {
      reconnect: {
        backoff: () => {
          throw new Error('my mistake')
        },
      },
    })
    const notices = record(transport)
    await transport.connect()
    await cut(server, transport)
    await until(() => transport.status.state === 'ready', 'ready again')
    expect(only(notices, 'error').map(({ error }) => error.message)).toContain('my mistake')
    const waits = only(notices, 'status').flatMap(({ status }) =>
      status.state === 'backoff' ? [status.delayMs] : [],
    )
    expect(waits).toHaveLength(1)
    expect(waits[0]).toBeLessThanOrEqual(250)
  })

  test('is one function, checked when the transport is made', () => {
    const options = { reconnect: { backoff: 5 } } as unknown as { reconnect: ReconnectOptions }
    expect(() => transportTo({ url: 'ws://h/' }, options)).toThrow('`reconnect.backoff`')
  })
})
