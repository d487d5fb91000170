/** Heartbeats of many connections: they must not come all at once. */
import { expect, test } from 'vitest'
import { seededRandom } from '@bus/testing/chaos'
import { KeepaliveState, KeepaliveScheduler } from '../src/hub/keepalive.ts'
import { FakeClock } from './fake-clock.ts'
import { FastClock, serve, transportTo, until } from './harness.ts'

const SOCKETS = 10_000
const INTERVAL_MS = 25_600
/** The hub looks at this many moments of an interval. */
const MOMENTS = 256

test('a hub spreads the pings of ten thousand connections over the whole interval, by one timer [F12]', () => {
  const clock = new FakeClock()
  const random = seededRandom(7)
  const scheduler = new KeepaliveScheduler({
    clock,
    random,
    intervalMs: INTERVAL_MS,
    defer: (run) => run(),
  })
  const pings: number[] = []
  const states = Array.from({ length: SOCKETS }, () => {
    const state: KeepaliveState = new KeepaliveState({
      ping: (payload) => {
        pings.push(clock.now())
        state.pong(payload)
      },
      received: () => 0,
      terminate: () => expect.unreachable('everybody answers'),
    })
    return state
  })
  // They all come in one moment, as after a restart of the hub.
  for (const state of states) scheduler.start(state)
  expect(clock.pending).toBe(1)
  clock.advance(INTERVAL_MS)
  expect(pings).toHaveLength(SOCKETS)
  const perMoment = new Map<number, number>()
  for (const at of pings) perMoment.set(at, (perMoment.get(at) ?? 0) + 1)
  expect(perMoment.size).toBe(MOMENTS)
  // An even share is 39: three times that is still a fraction of a millisecond of work.
  expect(Math.max(...perMoment.values())).toBeLessThan((3 * SOCKETS) / MOMENTS)
  for (const state of states) scheduler.stop(state)
  expect(clock.pending).toBe(0)
})

test('a client begins its pings at a moment of its own within the interval [F12]', async () => {
  const server = await serve()
  const waits = await Promise.all(
    [0.1, 0.5, 0.9].map(async (share) => {
      const clock = new FastClock(1)
      const transport = transportTo(server, { clock, random: () => share })
      await transport.connect()
      await until(() => clock.waits.length > 0, 'the heartbeat begins')
      return clock.waits.map(Math.round)
    }),
  )
  // Of the 25 seconds.
  for (const [n, first] of [2_500, 12_500, 22_500].entries()) expect(waits[n]).toContain(first)
})
