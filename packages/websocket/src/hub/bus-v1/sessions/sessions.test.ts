import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventLog } from '../log/log.ts'
import { PatternSets } from '../log/pattern-set.ts'
import type { Principal } from '../admission/authenticator.ts'
import { Sessions, type Session, type SessionConnection } from './session.ts'

const TTL = 10
const CAPACITY = 3
const PRINCIPALS: readonly Principal[] = [{ id: 'p' }, { id: 'q' }]

class Link implements SessionConnection {
  readonly address: string | undefined = undefined
  fate: 'open' | 'replaced' | 'ended' = 'open'
  wake(): void {}
  refused(): void {}
  goAway(): void {}
  replaced(): void {
    this.fate = 'replaced'
  }
  ended(): void {
    this.fate = 'ended'
  }
}

function newSessions(): Sessions {
  let id = 0
  return new Sessions({
    ttlMs: TTL,
    capacity: CAPACITY,
    window: { events: 10, bytes: 1_000 },
    sets: new PatternSets(new EventLog({ maxEvents: 1, maxBytes: 1, maxAgeMs: Infinity })),
    newId: () => `s${++id}`,
  })
}

interface Known {
  readonly session: Session
  readonly principal: Principal
  link: Link | undefined
  goneAt: number
  /** Which one of those that left it was: several leave at the same time. */
  leaving: number
  isOver: boolean
}

/** The same, in the most simple way. */
class Model {
  readonly sessions = newSessions()
  readonly known: Known[] = []
  now = 0
  #left = 0

  open(who: number): void {
    const principal = PRINCIPALS[who % 2] ?? { id: '' }
    const session = this.sessions.create(principal)
    const alive = this.known.filter((item) => !item.isOver)
    if (alive.length === CAPACITY) {
      const [oldest] = alive
        .filter((item) => item.link === undefined)
        .toSorted((a, b) => a.leaving - b.leaving)
      if (oldest !== undefined) oldest.isOver = true
      expect(session === undefined).toBe(oldest === undefined)
    } else expect(session).toBeDefined()
    if (session === undefined) return
    const link = new Link()
    // Something that can be resumed.
    session.publisher.receive(1, 10)
    session.publisher.accept(1, false)
    this.sessions.attach(session, link, 0)
    this.known.push({ session, principal, link, goneAt: 0, leaving: 0, isOver: false })
  }

  resume(index: number, who: number): void {
    const item = this.known[index % Math.max(1, this.known.length)]
    if (item === undefined) return
    const principal = PRINCIPALS[who % 2] ?? { id: '' }
    const found = this.sessions.find(item.session.sid, principal, this.now)
    if (item.link === undefined && this.now - item.goneAt >= TTL && principal === item.principal) {
      item.isOver = true
    }
    expect(found).toBe(item.isOver || principal !== item.principal ? undefined : item.session)
    if (found === undefined) return
    this.sessions.fence(found)
    if (item.link !== undefined) expect(item.link.fate).toBe('replaced')
    const stale = item.link
    item.link = new Link()
    this.sessions.attach(found, item.link, 0)
    if (stale !== undefined) this.sessions.detach(found, stale, this.now, false)
  }

  leave(index: number): void {
    const item = this.known[index % Math.max(1, this.known.length)]
    if (item?.link === undefined) return
    this.sessions.detach(item.session, item.link, this.now, false)
    item.link = undefined
    item.goneAt = this.now
    item.leaving = ++this.#left
  }

  sweep(): void {
    this.sessions.sweep(this.now)
    for (const item of this.known) {
      if (item.link === undefined && this.now - item.goneAt >= TTL) item.isOver = true
    }
  }

  revoke(who: number): void {
    const principal = PRINCIPALS[who % 2] ?? { id: '' }
    const theirs = this.known.filter((item) => !item.isOver && item.principal === principal)
    expect(this.sessions.revoke(principal.id, 4403, 'revoked')).toBe(theirs.length)
    for (const item of theirs) {
      item.isOver = true
      if (item.link !== undefined) expect(item.link.fate).toBe('ended')
    }
  }

  check(): void {
    const alive = this.known.filter((item) => !item.isOver)
    expect([...this.sessions].map(({ sid }) => sid)).toEqual(
      alive.map(({ session }) => session.sid),
    )
    expect(this.sessions.gone).toBe(alive.filter(({ link }) => link === undefined).length)
    for (const item of this.known) expect(item.session.hasEnded).toBe(item.isOver)
  }
}

describe('the sessions', () => {
  it('live, are resumed, fenced, swept and revoked like those of a simple model', () => {
    const index = fc.nat(10)
    const act = fc.oneof(
      index.map((who) => (model: Model) => model.open(who)),
      fc.tuple(index, index).map(
        ([i, who]) =>
          (model: Model) =>
            model.resume(i, who),
      ),
      index.map((i) => (model: Model) => model.leave(i)),
      fc.constant((model: Model) => model.sweep()),
      fc.constant((model: Model) => void (model.now += 4)),
      { weight: 1, arbitrary: index.map((who) => (model: Model) => model.revoke(who)) },
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
        const model = new Model()
        for (const next of acts) {
          next(model)
          model.check()
        }
      }),
      { numRuns: 300 },
    )
  })

  it('are forgotten at once when there is nothing that could be resumed', () => {
    const sessions = newSessions()
    const session = sessions.create({ id: 'p' })
    const link = new Link()
    if (session === undefined) throw new Error('there is room')
    sessions.attach(session, link, 0)
    sessions.detach(session, link, 0, false)
    expect(sessions.size).toBe(0)
  })
})
