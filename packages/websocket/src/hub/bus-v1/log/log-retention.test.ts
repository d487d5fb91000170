import { describe, expect, it } from 'vitest'
import { Session } from '../sessions/session.ts'
import { LogRetention } from './log-retention.ts'
import { EventLog } from './log.ts'
import { PatternSets } from './pattern-set.ts'

const WINDOW = { events: 100, bytes: 10_000 }

interface World {
  readonly log: EventLog
  readonly retention: LogRetention
  readonly givenUp: string[]
  add(sid: string, pattern: string, mode?: 'amo' | 'alo'): Session
  /** Appends as many as there is room for. */
  fill(count: number, now?: number): number
}

function makeWorld(maxEvents: number, holdMs = 100): World {
  const log = new EventLog({ maxEvents, maxBytes: 1e6, maxAgeMs: 50 })
  const sessions: Session[] = []
  const sets = new PatternSets(log)
  const givenUp: string[] = []
  const onGivenUp = (one: object): void => {
    for (const { sid, subscriber } of sessions) if (subscriber === one) givenUp.push(sid)
  }
  const retention = new LogRetention({ log, sessions, holdMs, onGivenUp })
  return {
    log,
    retention,
    givenUp,
    add: (sid, pattern, mode = 'alo') => {
      const session = new Session(sid, { id: 'p' }, sets, WINDOW)
      session.subscriber.add(1, { pattern, mode }, log.lastOffset)
      session.subscriber.begin(log.lastOffset, WINDOW)
      sessions.push(session)
      return session
    },
    fill: (count, now = 0) => {
      let done = 0
      while (done < count && log.append(false, Buffer.from('x'), 0, 1, 'a', now) > 0) done++
      return done
    },
  }
}

describe('the retention of the log', () => {
  it('lets events leave as long as no protected session needs them', () => {
    const world = makeWorld(3)
    world.add('other type', 'b')
    world.add('careless', 'a', 'amo')
    expect(world.fill(10)).toBe(10)
    const reader = world.add('reader', 'a')
    expect(world.fill(10)).toBe(3)
    reader.subscriber.begin(11, WINDOW)
    world.retention.needs(11)
    expect(world.fill(10)).toBe(1)
  })

  it('keeps what a session needs that goes back to an older cursor', () => {
    const world = makeWorld(5)
    const reader = world.add('reader', 'a')
    expect(world.fill(5)).toBe(5)
    reader.subscriber.begin(5, WINDOW)
    expect(world.fill(1)).toBe(1)
    // What no session needed a moment ago is needed now.
    reader.subscriber.begin(2, WINDOW)
    world.retention.needs(2)
    // The second leaves, the third is needed.
    expect(world.fill(5)).toBe(1)
    expect(world.log.firstOffset).toBe(3)
  })

  it('gives up a session that blocked the log for holdMs, and not one that came later', () => {
    const world = makeWorld(2)
    const first = world.add('first', 'a')
    expect(world.fill(3, 0)).toBe(2)
    world.fill(1, 50)
    const second = world.add('second', 'a')
    second.subscriber.add(2, { pattern: 'a', mode: 'alo' }, 0)
    second.subscriber.begin(0, WINDOW)
    world.fill(1, 60)
    expect(world.fill(1, 99)).toBe(0)
    expect(world.givenUp).toEqual([])
    expect(world.fill(1, 100)).toBe(0)
    expect(world.givenUp).toEqual(['first'])
    expect([first, second].map(({ subscriber }) => subscriber.isProtected)).toEqual([false, true])
    expect(world.fill(1, 160)).toBe(1)
    expect(world.givenUp).toEqual(['first', 'second'])
  })

  it('counts the time of a block anew when there was none meanwhile', () => {
    const world = makeWorld(2)
    world.add('reader', 'a')
    expect(world.fill(3, 0)).toBe(2)
    world.retention.unblocked()
    expect(world.fill(1, 1_000)).toBe(0)
    expect(world.fill(1, 1_099)).toBe(0)
    expect(world.fill(1, 1_100)).toBe(1)
  })

  it('removes what is too old, but nothing that a session needs', () => {
    const world = makeWorld(100)
    world.fill(2, 0)
    const reader = world.add('reader', 'a')
    world.fill(2, 0)
    world.retention.expire(49)
    expect(world.log.firstOffset).toBe(1)
    world.retention.expire(60)
    expect(world.log.firstOffset).toBe(3)
    reader.subscriber.begin(4, WINDOW)
    world.retention.needs(4)
    world.retention.expire(60)
    expect(world.log.events).toBe(0)
  })
})
