import { DisconnectedError, HeartbeatTimeoutError } from '@bus/core'
import { assert, array, constantFrom, integer, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../test/fake-clock.ts'
import { Heartbeat, type HeartbeatOptions } from './heartbeat.ts'

const OPTIONS: HeartbeatOptions = { intervalMs: 100, timeoutMs: 40, maxMissed: 1 }

/** Does what the owner does: notes when a frame came. */
class OwnedHeartbeat extends Heartbeat {
  readonly inbound: () => void

  constructor(inbound: () => void, ...rest: ConstructorParameters<typeof Heartbeat>) {
    super(...rest)
    this.inbound = inbound
  }

  override pong(payload: string): number | undefined {
    this.inbound()
    return super.pong(payload)
  }
}

/** A heartbeat whose owner only takes notes. `random` 0.5 puts the first ping at half an interval. */
function create(
  options: Partial<HeartbeatOptions> = {},
  random = 0.5,
  received: () => number = () => 0,
) {
  const clock = new FakeClock()
  const pings: string[] = []
  const missed: { silentMs: number; missed: number }[] = []
  const lost: HeartbeatTimeoutError[] = []
  const deferred: (() => void)[] = []
  let inboundAt = -Infinity
  const heartbeat = new OwnedHeartbeat(
    () => {
      inboundAt = clock.now()
    },
    {
      ping: (payload) => pings.push(payload),
      inboundAt: () => inboundAt,
      received,
      missed: (info) => missed.push(info),
      lost: (error) => lost.push(error),
    },
    { ...OPTIONS, ...options },
    { clock, random: () => random, defer: (run) => deferred.push(run) },
  )
  const read = (): void => {
    for (const run of deferred.splice(0)) run()
  }
  /** Lets time pass with an event loop that turns freely. */
  const pass = (ms: number): void => {
    for (let i = 0; i < ms; i++) {
      clock.advance(1)
      read()
    }
  }
  heartbeat.start()
  return { clock, pings, missed, lost, deferred, heartbeat, pass, read }
}

describe('pings', () => {
  it.each([
    [0.01, 1],
    [0.25, 25],
    [0.99, 99],
  ])('leave at the interval, the first at a random moment within it (%d)', (random, first) => {
    const { heartbeat, pings, pass } = create({}, random)
    pass(first - 1)
    expect(pings).toHaveLength(0)
    pass(1)
    expect(pings).toHaveLength(1)
    heartbeat.pong(pings[0] ?? '')
    pass(99)
    expect(pings).toHaveLength(1)
    pass(1)
    expect(pings).toHaveLength(2)
    expect(new Set(pings).size).toBe(2)
  })

  it('do not leave with the heartbeat off, nor after it was stopped', () => {
    const off = create({ intervalMs: false })
    off.pass(1_000)
    expect(off.pings).toEqual([])
    expect(off.heartbeat.stats().timerActive).toBe(false)

    const stopped = create()
    stopped.pass(49)
    stopped.heartbeat.stop()
    stopped.pass(1_000)
    expect(stopped.pings).toEqual([])
    expect(stopped.clock.pending).toBe(0)
    expect(stopped.heartbeat.stats().timerActive).toBe(false)
  })

  it('start once, however often start is called', () => {
    const { heartbeat, pings, pass, clock } = create()
    heartbeat.start()
    pass(60)
    expect(pings).toHaveLength(1)
    expect(clock.pending).toBe(1)
  })
})

describe('pongs', () => {
  it('count only with the payload of the ping that waits; another leaves it unanswered', () => {
    const { heartbeat, pings, missed, pass } = create({ maxMissed: 3 })
    pass(50)
    heartbeat.pong('something else')
    expect(heartbeat.stats().lastPongAt).toBeUndefined()
    pass(40)
    expect(missed).toHaveLength(1)
    expect(heartbeat.stats().missed).toBe(1)
    // Too late for its ping, which was given up.
    heartbeat.pong(pings[0] ?? '')
    expect(heartbeat.stats()).toMatchObject({ missed: 1, lastPongAt: undefined })
    pass(60)
    heartbeat.pong(pings[1] ?? '')
    expect(heartbeat.stats().missed).toBe(0)
  })

  it('give the round trip from a ping to its pong', () => {
    const { heartbeat, clock, pings, pass } = create()
    expect(heartbeat.stats().rttMs).toBeUndefined()
    pass(50)
    pass(7)
    heartbeat.pong(pings[0] ?? '')
    expect(heartbeat.stats()).toEqual({
      lastInboundAt: clock.now(),
      lastPongAt: clock.now(),
      missed: 0,
      rttMs: 7,
      timerActive: true,
    })
  })

  it('leave safe values in the statistics before the first ping', () => {
    expect(create().heartbeat.stats()).toEqual({
      lastInboundAt: undefined,
      lastPongAt: undefined,
      missed: 0,
      rttMs: undefined,
      timerActive: true,
    })
  })
})

describe('a silent other side', () => {
  it('is lost once a ping stayed without an answer for the timeout', () => {
    const { lost, missed, heartbeat, pass, clock } = create()
    pass(89)
    expect(lost).toEqual([])
    pass(1)
    expect(missed).toEqual([{ silentMs: 90, missed: 1 }])
    expect(lost).toHaveLength(1)
    expect(lost[0]).toBeInstanceOf(HeartbeatTimeoutError)
    expect(lost[0]?.message).toBe('Nothing was heard for 90 ms; pings without an answer: 1')
    expect(heartbeat.stats().timerActive).toBe(false)
    pass(1_000)
    expect(lost).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('is not lost while parts of a frame come, and is once they stop', () => {
    let bytes = 0
    const { lost, pass, clock } = create({}, 0.5, () => bytes)
    for (let i = 0; i < 50; i++) {
      pass(20)
      bytes++
    }
    expect(lost).toEqual([])
    expect(clock.now()).toBe(1_000)
    pass(200)
    expect(lost).toHaveLength(1)
  })

  it('may miss as many pings in a row as allowed', () => {
    const { lost, missed, pass } = create({ maxMissed: 3 })
    pass(50 + 40)
    expect(missed).toHaveLength(1)
    pass(100)
    expect(missed).toHaveLength(2)
    expect(lost).toEqual([])
    pass(100)
    expect(missed).toHaveLength(3)
    expect(lost).toHaveLength(1)
  })

  it('is not lost while other frames come, though its pongs do not', () => {
    const { lost, missed, heartbeat, pass } = create()
    for (let i = 0; i < 50; i++) {
      pass(20)
      heartbeat.inbound()
    }
    expect(lost).toEqual([])
    expect(heartbeat.stats().missed).toBe(missed.length)
    expect(missed.length).toBeGreaterThan(5)
    pass(200)
    expect(lost).toHaveLength(1)
  })

  it('can be given up by its owner within the notice of a missed ping', () => {
    const clock = new FakeClock()
    const lost: unknown[] = []
    const heartbeat = new Heartbeat(
      {
        ping: () => {},
        inboundAt: () => -Infinity,
        missed: () => heartbeat.stop(),
        lost: (error) => lost.push(error),
      },
      OPTIONS,
      { clock, random: () => 0, defer: (run) => run() },
    )
    heartbeat.start()
    clock.advance(1_000)
    expect(lost).toEqual([])
    expect(clock.pending).toBe(0)
  })
})

describe('the idle limit', () => {
  const idle = { intervalMs: false, idleTimeoutMs: 100 } as const

  it('drops a link on which nothing was received for that long, and says so', () => {
    const { lost, missed, pass } = create(idle)
    pass(99)
    expect(lost).toEqual([])
    pass(1)
    expect(missed).toEqual([{ silentMs: 100, missed: 0 }])
    expect(lost.map((error) => error.message)).toEqual(['Nothing was heard for 100 ms'])
  })

  it('starts again with every frame', () => {
    const { lost, heartbeat, pass } = create(idle)
    for (let i = 0; i < 10; i++) {
      pass(99)
      heartbeat.inbound()
    }
    expect(lost).toEqual([])
    pass(100)
    expect(lost).toHaveLength(1)
  })

  it('costs no timer when it is not set', () => {
    const { clock, lost, pass } = create({ intervalMs: false })
    expect(clock.pending).toBe(0)
    pass(10_000)
    expect(lost).toEqual([])
  })
})

describe('our own stall', () => {
  it('is not taken for the silence of the other side: the answer that waits is read first', () => {
    const { clock, heartbeat, pings, lost, deferred, read } = create()
    clock.advance(50)
    clock.stall(40)
    expect(deferred).toHaveLength(1)
    heartbeat.pong(pings[0] ?? '')
    read()
    expect(lost).toEqual([])
    expect(heartbeat.stats()).toMatchObject({ missed: 0, timerActive: true })
  })

  it('grants the full time once more when the timer itself was late', () => {
    const { clock, lost, deferred, pass } = create()
    clock.advance(50)
    clock.stall(500)
    expect(deferred).toEqual([])
    pass(39)
    expect(lost).toEqual([])
    pass(1)
    expect(lost).toHaveLength(1)
  })

  it('gives an idle link time to show that it lives, after the process was suspended', () => {
    const { clock, heartbeat, pings, lost, pass } = create({ idleTimeoutMs: 150 })
    clock.advance(40)
    clock.stall(10_000)
    expect(pings).toHaveLength(1)
    heartbeat.pong(pings[0] ?? '')
    pass(90)
    expect(lost).toEqual([])
  })

  it('is excused once: a dead link is noticed even by a process that never runs on time', () => {
    const { clock, lost, read } = create()
    for (let i = 0; i < 6; i++) {
      clock.stall(90)
      read()
    }
    expect(lost).toHaveLength(1)
  })

  it('is excused again after a frame came', () => {
    const { clock, heartbeat, lost, read } = create()
    for (let i = 0; i < 20; i++) {
      clock.stall(200)
      heartbeat.inbound()
      read()
    }
    expect(lost).toEqual([])
  })

  it('makes a verdict that was deferred void when the heartbeat is stopped meanwhile', () => {
    const idle = { intervalMs: false, idleTimeoutMs: 90 } as const
    const { clock, heartbeat, lost, missed, deferred, read } = create(idle)
    clock.advance(90)
    expect(deferred).toHaveLength(1)
    heartbeat.stop()
    read()
    expect([lost, missed]).toEqual([[], []])
  })
})

describe('while we do not read', () => {
  it('no verdict is given, but pings still leave', () => {
    const { heartbeat, lost, missed, pings, pass } = create({ idleTimeoutMs: 150 })
    heartbeat.suspend()
    pass(1_000)
    expect([lost, missed]).toEqual([[], []])
    expect(pings.length).toBeGreaterThanOrEqual(9)
  })

  it('every deadline waits, and starts anew afterwards', () => {
    const { heartbeat, pings, lost, pass } = create({ idleTimeoutMs: 150 })
    pass(50)
    heartbeat.suspend()
    pass(45)
    heartbeat.unsuspend()
    pass(39)
    expect(lost).toEqual([])
    heartbeat.pong(pings[0] ?? '')
    // The pause was ours, so the time that the pong took says nothing.
    expect(heartbeat.stats().rttMs).toBeUndefined()
    pass(50)
    expect(pings).toHaveLength(2)
    pass(40)
    expect(lost).toHaveLength(1)
  })

  it('a verdict that was already deferred is not given', () => {
    const { clock, heartbeat, lost, missed, read } = create()
    clock.advance(90)
    heartbeat.suspend()
    read()
    expect([lost, missed]).toEqual([[], []])
  })

  it('unsuspend without suspend grants nothing', () => {
    const { heartbeat, lost, pass } = create()
    pass(80)
    heartbeat.unsuspend()
    pass(10)
    expect(lost).toHaveLength(1)
  })
})

describe('a probe', () => {
  it('pings at once and resolves with the round trip of its own pong', async () => {
    const { heartbeat, pings, pass, clock } = create({ intervalMs: false })
    const probe = heartbeat.probe({ timeoutMs: 100 })
    expect(pings).toHaveLength(1)
    pass(12)
    heartbeat.pong('another')
    pass(1)
    heartbeat.pong(pings[0] ?? '')
    await expect(probe).resolves.toBe(13)
    expect(heartbeat.stats()).toMatchObject({ rttMs: 13, missed: 0 })
    expect(clock.pending).toBe(0)
  })

  it('answers nothing but itself: the ping of the interval still waits', async () => {
    const { heartbeat, pings, lost, pass } = create()
    pass(50)
    const probe = heartbeat.probe({ timeoutMs: 100 })
    heartbeat.pong(pings[1] ?? '')
    await expect(probe).resolves.toBe(0)
    pass(40)
    expect(heartbeat.stats().missed).toBe(1)
    expect(lost).toEqual([])
  })

  it('rejects when its time is over, and leaves nothing behind', async () => {
    const { heartbeat, clock, pass } = create({ intervalMs: false })
    const probe = heartbeat.probe({ timeoutMs: 30 })
    pass(30)
    await expect(probe).rejects.toMatchObject({ code: 'timeout' })
    expect(clock.pending).toBe(0)
  })

  it('rejects when its signal aborts, before or while it waits', async () => {
    const { heartbeat, clock, pings } = create({ intervalMs: false })
    const controller = new AbortController()
    const probe = heartbeat.probe({ timeoutMs: 30, signal: controller.signal })
    controller.abort('enough')
    await expect(probe).rejects.toMatchObject({ code: 'aborted', cause: 'enough' })
    const late = heartbeat.probe({ timeoutMs: 30, signal: controller.signal })
    await expect(late).rejects.toMatchObject({ code: 'aborted' })
    expect(pings).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('rejects when the link ends or is not there', async () => {
    const { heartbeat } = create({ intervalMs: false })
    const probe = heartbeat.probe({ timeoutMs: 30 })
    heartbeat.stop()
    await expect(probe).rejects.toBeInstanceOf(DisconnectedError)
    await expect(heartbeat.probe({ timeoutMs: 30 })).rejects.toBeInstanceOf(DisconnectedError)
  })
})

describe('whatever happens', () => {
  const step = record({
    what: constantFrom('pass', 'stall', 'inbound', 'pong', 'suspend', 'unsuspend'),
    ms: integer({ min: 0, max: 150 }),
  })

  it('there is one timer at most, one loss at most, and none while frames come in time', () => {
    assert(
      property(array(step, { maxLength: 60 }), (steps) => {
        const { clock, heartbeat, pings, lost, pass, read } = create({ idleTimeoutMs: 120 })
        let sinceFrame = 0
        let isEverSilent = false
        for (const { what, ms } of steps) {
          if (what === 'pass') pass(ms)
          else if (what === 'stall') {
            clock.stall(ms)
            read()
          } else if (what === 'inbound') heartbeat.inbound()
          else if (what === 'pong') heartbeat.pong(pings.at(-1) ?? '')
          else heartbeat[what]()
          const isFrame = what === 'inbound' || what === 'pong'
          sinceFrame = isFrame ? 0 : sinceFrame + (what === 'pass' || what === 'stall' ? ms : 0)
          isEverSilent ||= sinceFrame >= OPTIONS.timeoutMs
          expect(clock.pending).toBeLessThanOrEqual(1)
          expect(lost.length).toBeLessThanOrEqual(isEverSilent ? 1 : 0)
        }
      }),
    )
  })
})
