import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../test/fake-clock.ts'
import { KeepaliveState, KeepaliveScheduler } from './keepalive.ts'

const INTERVAL_MS = 256

/** A keepalive with a clock that stands still. `phase` is where in the interval the connections are pinged. */
function create(phase: number | (() => number) = 0.5) {
  const clock = new FakeClock()
  const random = typeof phase === 'number' ? () => phase : phase
  const deferred: (() => void)[] = []
  const defer = (run: () => void): void => void deferred.push(run)
  const scheduler = new KeepaliveScheduler({ clock, random, intervalMs: INTERVAL_MS, defer })
  const read = (): void => {
    for (const run of deferred.splice(0)) run()
  }
  /** Lets time pass with an event loop that runs freely. */
  const pass = (ms: number): void => {
    for (let i = 0; i < ms; i++) {
      clock.advance(1)
      read()
    }
  }
  /** Lets time pass while the event loop is blocked. */
  const stall = (ms: number): void => {
    clock.stall(ms)
    read()
  }
  /** A connection that only counts. */
  const join = () => {
    const pings: { payload: string; at: number }[] = []
    const notes = { pings, lost: 0, bytes: 0 }
    const start = clock.now()
    const state = new KeepaliveState({
      ping: (payload) => pings.push({ payload, at: clock.now() - start }),
      received: () => notes.bytes,
      terminate: () => notes.lost++,
    })
    scheduler.start(state)
    return { notes, state, answer: () => state.pong(pings.at(-1)?.payload ?? '') }
  }
  return { clock, scheduler, deferred, pass, stall, join }
}

describe('a part of a frame', () => {
  it('is a sign of life as long as more of it comes', () => {
    const { join, pass } = create()
    const { notes } = join()
    for (let i = 0; i < 8; i++) {
      pass(INTERVAL_MS)
      notes.bytes++
    }
    expect(notes.lost).toBe(0)
    pass(2 * INTERVAL_MS)
    expect(notes.lost).toBe(1)
  })
})

describe('pings', () => {
  it('pings each connection once in an interval, the first time at a moment of its own', () => {
    const phases = [0.25, 0.75]
    const { join, pass } = create(() => phases.shift() ?? 0)
    const early = join()
    const late = join()
    for (let i = 0; i < 3; i++) {
      pass(INTERVAL_MS)
      early.answer()
      late.answer()
    }
    const times = (connection: typeof early): number[] => connection.notes.pings.map(({ at }) => at)
    expect(times(early)).toEqual([64, 320, 576])
    expect(times(late)).toEqual([192, 448, 704])
  })

  it('lets no two pings of a connection have the same payload', () => {
    const { join, pass } = create()
    const { notes, answer } = join()
    for (let i = 0; i < 5; i++) {
      pass(INTERVAL_MS)
      answer()
    }
    expect(new Set(notes.pings.map(({ payload }) => payload)).size).toBe(5)
  })

  it('keeps one timer for all connections and none without any', () => {
    const { clock, scheduler, join } = create(Math.random)
    expect(clock.pending).toBe(0)
    const states = Array.from({ length: 20 }, () => join().state)
    expect(clock.pending).toBe(1)
    for (const state of states) scheduler.stop(state)
    expect(clock.pending).toBe(0)
  })

  it('sets its timer earlier for a connection whose slot comes before those of the others', () => {
    const phases = [0.9, 0.1]
    const { join, pass } = create(() => phases.shift() ?? 0)
    join()
    const second = join()
    pass(INTERVAL_MS / 4)
    expect(second.notes.pings).toHaveLength(1)
  })

  it('takes up again after a time without connections', () => {
    const { scheduler, join, pass } = create()
    const first = join()
    pass(INTERVAL_MS)
    scheduler.stop(first.state)
    pass(10 * INTERVAL_MS)
    const second = join()
    pass(INTERVAL_MS / 4)
    expect(second.notes.pings).toHaveLength(0)
    pass(INTERVAL_MS / 2)
    expect(second.notes.pings).toHaveLength(1)
    expect(first.notes.pings).toHaveLength(1)
  })

  it('pings a connection that comes between two pings of the others at its own moment', () => {
    const phases = [0.1, 0.2]
    const { join, pass } = create(() => phases.shift() ?? 0)
    const first = join()
    pass(INTERVAL_MS / 2)
    first.answer()
    const second = join()
    pass(INTERVAL_MS / 2)
    expect(second.notes.pings).toHaveLength(0)
    pass(INTERVAL_MS / 2)
    expect(first.notes.pings).toHaveLength(2)
    expect(second.notes.pings).toHaveLength(1)
  })
})

describe('verdicts', () => {
  it('loses a connection after two pings without any sign of life, once', () => {
    const { clock, join, pass } = create()
    const { notes } = join()
    pass(2.5 * INTERVAL_MS - 1)
    expect(notes.lost).toBe(0)
    pass(1)
    expect(notes.lost).toBe(1)
    expect(notes.pings).toHaveLength(2)
    pass(5 * INTERVAL_MS)
    expect(notes.lost).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('keeps a connection that answers one ping of two', () => {
    const { join, pass } = create()
    const { notes, answer } = join()
    pass(INTERVAL_MS)
    for (let i = 0; i < 10; i++) {
      pass(INTERVAL_MS)
      if (i % 2 === 0) answer()
    }
    expect(notes.lost).toBe(0)
  })

  it('keeps a connection that sends anything, and takes only the right payload for an answer', () => {
    const { join, pass } = create()
    const { notes, state } = join()
    pass(INTERVAL_MS)
    for (let i = 0; i < 5; i++) {
      pass(INTERVAL_MS)
      notes.bytes++
      state.pong('another')
    }
    expect(notes.lost).toBe(0)
    // So many pings are missed that the first silence of one interval is enough.
    pass(INTERVAL_MS)
    expect(notes.lost).toBe(0)
    pass(INTERVAL_MS)
    expect(notes.lost).toBe(1)
  })

  it('judges no connection before what waits in the sockets was read', () => {
    const { clock, deferred, join, pass } = create()
    const { notes, answer } = join()
    pass(2 * INTERVAL_MS)
    clock.advance(INTERVAL_MS / 2)
    expect(deferred).toHaveLength(1)
    answer()
    for (const run of deferred.splice(0)) run()
    expect(notes.lost).toBe(0)
    expect(notes.pings).toHaveLength(3)
  })

  it('forgets a verdict that is under way when the connection leaves', () => {
    const { clock, scheduler, deferred, join, pass } = create()
    const { notes, state } = join()
    pass(2 * INTERVAL_MS)
    clock.advance(INTERVAL_MS / 2)
    scheduler.stop(state)
    for (const run of deferred.splice(0)) run()
    expect(notes).toMatchObject({ lost: 0 })
    expect(notes.pings).toHaveLength(2)
  })
})

describe('after a stall of its own process', () => {
  it('counts nothing as missed', () => {
    const { join, pass, stall } = create()
    const { notes, answer } = join()
    pass(1.5 * INTERVAL_MS + 1)
    stall(1.5 * INTERVAL_MS)
    expect(notes.lost).toBe(0)
    answer()
    pass(INTERVAL_MS)
    expect(notes.lost).toBe(0)
  })

  it('excuses a connection once only, until something comes from it', () => {
    const { join, pass, stall } = create()
    const [silent, heard] = [join(), join()]
    pass(1.5 * INTERVAL_MS + 1)
    stall(1.5 * INTERVAL_MS)
    heard.notes.bytes++
    pass(2 * INTERVAL_MS)
    expect(silent.notes.lost).toBe(1)
    stall(INTERVAL_MS)
    expect(heard.notes.lost).toBe(0)
    pass(2 * INTERVAL_MS)
    expect(heard.notes.lost).toBe(1)
  })

  it('excuses no connection twice in a row', () => {
    const { join, pass, stall } = create()
    const { notes } = join()
    pass(1.5 * INTERVAL_MS + 1)
    stall(1.5 * INTERVAL_MS)
    pass(INTERVAL_MS)
    stall(INTERVAL_MS)
    expect(notes.lost).toBe(1)
  })

  it('gives a ping that left late a fair time', () => {
    const { join, pass, stall } = create()
    const { notes } = join()
    pass(1.5 * INTERVAL_MS + 1)
    // The tick at 2.5 intervals comes at 3.4, the next one a tenth of an interval later.
    stall(1.9 * INTERVAL_MS)
    pass(INTERVAL_MS)
    expect(notes.lost).toBe(0)
    pass(INTERVAL_MS / 4)
    expect(notes.lost).toBe(1)
  })

  it('pings each connection once, however long it was', () => {
    const { join, stall } = create()
    const { notes } = join()
    stall(20 * INTERVAL_MS)
    expect(notes.pings).toHaveLength(1)
  })
})
