/** The keepalives of client and hub schedule their pings differently, and must give the same verdicts. */
import { describe, expect, it } from 'vitest'
import { KeepaliveScheduler, KeepaliveState } from '../src/hub/keepalive.ts'
import { Heartbeat } from '../src/socket/heartbeat.ts'
import { FakeClock } from './fake-clock.ts'

const INTERVAL_MS = 256

/** One side that pings, and what the other side does. */
interface Side {
  /** Milliseconds after the start at which the other side was given up; `undefined`: it was not. */
  lostAt(): number | undefined
  /** Answers the last ping. */
  answer(): void
  /** A whole frame comes that is no answer. */
  frame(): void
  /** A part of a frame comes. */
  part(): void
  /** Lets time pass with an event loop that runs freely. */
  pass(intervals: number): void
  /** Lets time pass while the event loop is blocked; `waiting` comes meanwhile and is read afterwards. */
  stall(intervals: number, waiting?: () => void): void
}

/** Both sides ping first after half an interval, and give up after two pings. */
function create(who: 'client' | 'hub'): Side {
  const clock = new FakeClock()
  const random = (): number => 0.5
  const deferred: (() => void)[] = []
  const defer = (run: () => void): void => void deferred.push(run)
  const read = (): void => {
    for (const run of deferred.splice(0)) run()
  }
  const start = clock.now()
  let lostAt: number | undefined
  const lost = (): void => void (lostAt ??= clock.now() - start)
  let payload = ''
  const ping = (sent: string): void => void (payload = sent)
  let bytes = 0
  let inboundAt = -Infinity
  let pong: (answer: string) => void
  if (who === 'client') {
    const heartbeat = new Heartbeat(
      { ping, lost, received: () => bytes, inboundAt: () => inboundAt },
      { intervalMs: INTERVAL_MS, timeoutMs: INTERVAL_MS, maxMissed: 2 },
      { clock, random, defer },
    )
    heartbeat.start()
    pong = (answer) => void heartbeat.pong(answer)
  } else {
    const state = new KeepaliveState({ ping, terminate: lost, received: () => bytes })
    new KeepaliveScheduler({ clock, random, intervalMs: INTERVAL_MS, defer }).start(state)
    pong = (answer) => state.pong(answer)
  }
  const frame = (): void => {
    bytes++
    inboundAt = clock.now()
  }
  return {
    lostAt: () => lostAt,
    frame,
    part: () => void bytes++,
    answer: () => {
      frame()
      pong(payload)
    },
    pass: (intervals) => {
      for (let i = 0; i < intervals * INTERVAL_MS; i++) {
        clock.advance(1)
        read()
      }
    },
    stall: (intervals, waiting = () => {}) => {
      clock.stall(intervals * INTERVAL_MS)
      waiting()
      read()
    },
  }
}

const SCENARIOS: readonly [name: string, lostAt: number | undefined, run: (side: Side) => void][] =
  [
    ['two pings without any sign of life end it', 2.5, (side) => side.pass(4)],
    [
      'one answer of two keeps it',
      undefined,
      (side) => {
        for (let i = 0; i < 10; i++) {
          side.pass(1)
          if (i % 2 === 0) side.answer()
        }
      },
    ],
    [
      'any frame keeps it',
      undefined,
      (side) => {
        for (let i = 0; i < 10; i++) {
          side.pass(1)
          side.frame()
        }
      },
    ],
    [
      'a part of a frame keeps it, as long as more of it comes',
      undefined,
      (side) => {
        for (let i = 0; i < 10; i++) {
          side.pass(1)
          side.part()
        }
      },
    ],
    [
      'a late timer counts nothing as missed when the answer waits to be read',
      undefined,
      (side) => {
        side.pass(1.75)
        side.stall(1.5, () => side.answer())
        side.pass(0.25)
      },
    ],
  ]

describe.each(SCENARIOS)('%s', (_name, lostAt, run) => {
  it.each(['client', 'hub'] as const)('for the %s', (who) => {
    const side = create(who)
    run(side)
    expect(side.lostAt()).toBe(lostAt === undefined ? undefined : lostAt * INTERVAL_MS)
  })
})

describe('a late timer is excused once only', () => {
  it.each(['client', 'hub'] as const)('by the %s', (who) => {
    const side = create(who)
    side.pass(1.75)
    side.stall(1.5)
    expect(side.lostAt()).toBeUndefined()
    side.pass(1)
    side.stall(1.5)
    expect(side.lostAt()).toBeDefined()
  })
})
