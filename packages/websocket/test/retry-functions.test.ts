import { describe, expect, test } from 'vitest'
import type { ReconnectOptions } from '../src/index.ts'
import { FakeClock } from './fake-clock.ts'
import { cut, only, record, serve, transportTo, until } from './harness.ts'

interface Retry {
  readonly left: number
  readonly delayMs: number
  readonly note: string
}

/** As a user would write one: it counts down, waits longer each time and keeps what it does not know. */
const countDown: ReconnectOptions['retry'] = (state: Retry) =>
  state.left === 0
    ? 'stop'
    : {
        delayMs: state.delayMs,
        state: { ...state, left: state.left - 1, delayMs: state.delayMs * 2 },
      }

const start: Retry = { left: 3, delayMs: 4, note: 'mine' }

describe('a retry function', () => {
  test('sets the waits from its own state, and ends the transport when it says stop', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const states: Retry[] = []
    const transport = transportTo(server, {
      reconnect: {
        retryState: start,
        retry: (state: Retry, error) => {
          states.push(state)
          return countDown(state, error)
        },
        // Not asked.
        backoff: () => 60_000,
      },
    })
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
    const lefts: number[] = []
    const transport = transportTo(server, {
      clock,
      heartbeat: false,
      reconnect: {
        stableAfterMs: 30_000,
        retryState: start,
        retry: (state: Retry, error) => {
          lefts.push(state.left)
          return countDown(state, error)
        },
      },
    })
    await transport.connect()
    for (const lastedMs of [30_000, 29_999, 30_000]) {
      clock.advance(lastedMs)
      await cut(server, transport)
      clock.advance(start.delayMs * 2)
      await until(() => transport.status.state === 'ready', 'ready again')
    }
    expect(lefts).toEqual([3, 2, 3])
  })

  test('that throws is told, and the backoff stands in', async () => {
    const server = await serve()
    const transport = transportTo(server, {
      reconnect: {
        retry: () => {
          throw new Error('my mistake')
        },
      },
    })
    const notices = record(transport)
    await transport.connect()
    await cut(server, transport)
    await until(() => transport.status.state === 'ready', 'ready again')
    expect(only(notices, 'error').map(({ error }) => error.message)).toContain('my mistake')
    const wait = only(notices, 'status').find(({ status }) => status.state === 'backoff')
    expect(wait?.status).toMatchObject({ delayMs: 5 })
  })

  test('is one function, checked when the transport is made', () => {
    const options = { reconnect: { retry: 5 } } as unknown as { reconnect: ReconnectOptions }
    expect(() => transportTo({ url: 'ws://h/' }, options)).toThrow('`reconnect.retry`')
  })
})
