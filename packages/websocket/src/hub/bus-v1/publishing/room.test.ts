import { describe, expect, it } from 'vitest'
import { EventLog } from '../log/log.ts'
import { PatternSets } from '../log/pattern-set.ts'
import { Room } from './room.ts'
import { Session } from '../sessions/session.ts'

const WINDOW = { events: 100, bytes: 10_000 }

interface Place {
  readonly log: EventLog
  readonly room: Room
  readonly givenUp: string[]
  add(sid: string, pattern: string, mode?: 'amo' | 'alo'): Session
  /** Appends as many as there is room for. */
  fill(count: number, now?: number): number
}

function makePlace(maxEvents: number, holdMs = 100): Place {
  const log = new EventLog({ maxEvents, maxBytes: 1e6, maxAgeMs: 50 })
  const sessions: Session[] = []
  const sets = new PatternSets(log)
  const givenUp: string[] = []
  const onGivenUp = ({ sid }: Session): number => givenUp.push(sid)
  const room = new Room({ log, sessions, holdMs, onGivenUp })
  return {
    log,
    room,
    givenUp,
    add: (sid, pattern, mode = 'alo') => {
      const session = new Session(sid, { id: 'p' }, sets, WINDOW)
      session.subscriber.add(1, { pattern, mode }, log.head)
      session.subscriber.begin(log.head, WINDOW)
      sessions.push(session)
      return session
    },
    fill: (count, now = 0) => {
      let done = 0
      while (done < count && room.make(1, now)) {
        log.append(false, Buffer.from('x'), 0, 1, 'a', now)
        done++
      }
      return done
    },
  }
}

describe('room in the log', () => {
  it('is made as long as nobody protected needs what leaves', () => {
    const place = makePlace(3)
    place.add('other type', 'b')
    place.add('careless', 'a', 'amo')
    expect(place.fill(10)).toBe(10)
    const reader = place.add('reader', 'a')
    expect(place.fill(10)).toBe(3)
    reader.subscriber.begin(11, WINDOW)
    place.room.needsChanged()
    expect(place.fill(10)).toBe(1)
  })

  it('is kept for a session that goes back to an older cursor', () => {
    const place = makePlace(5)
    const reader = place.add('reader', 'a')
    expect(place.fill(5)).toBe(5)
    reader.subscriber.begin(5, WINDOW)
    expect(place.fill(1)).toBe(1)
    // What nobody needed a moment ago is needed now.
    reader.subscriber.begin(2, WINDOW)
    place.room.needsChanged()
    // The second leaves, the third is needed.
    expect(place.fill(5)).toBe(1)
    expect(place.log.floor).toBe(3)
  })

  it('is given up by a session that was in its way for holdMs, and not by one that came later', () => {
    const place = makePlace(2)
    const first = place.add('first', 'a')
    expect(place.fill(3, 0)).toBe(2)
    place.fill(1, 50)
    const second = place.add('second', 'a')
    second.subscriber.add(2, { pattern: 'a', mode: 'alo' }, 0)
    second.subscriber.begin(0, WINDOW)
    place.fill(1, 60)
    expect(place.fill(1, 99)).toBe(0)
    expect(place.givenUp).toEqual([])
    expect(place.fill(1, 100)).toBe(0)
    expect(place.givenUp).toEqual(['first'])
    expect([first, second].map((session) => session.isProtected)).toEqual([false, true])
    expect(place.fill(1, 160)).toBe(1)
    expect(place.givenUp).toEqual(['first', 'second'])
  })

  it('counts the time of a hold anew when there was none meanwhile', () => {
    const place = makePlace(2)
    place.add('reader', 'a')
    expect(place.fill(3, 0)).toBe(2)
    place.room.settled()
    expect(place.fill(1, 1_000)).toBe(0)
    expect(place.fill(1, 1_099)).toBe(0)
    expect(place.fill(1, 1_100)).toBe(1)
  })

  it('is also made by age, but not at the cost of somebody who needs it', () => {
    const place = makePlace(100)
    place.fill(2, 0)
    const reader = place.add('reader', 'a')
    place.fill(2, 0)
    place.room.expire(49)
    expect(place.log.floor).toBe(1)
    place.room.expire(60)
    expect(place.log.floor).toBe(3)
    reader.subscriber.begin(4, WINDOW)
    place.room.needsChanged()
    place.room.expire(60)
    expect(place.log.events).toBe(0)
  })
})
