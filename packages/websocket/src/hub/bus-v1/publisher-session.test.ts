import { describe, expect, it } from 'vitest'
import { PublisherSession, type Held } from './publisher-session.ts'

const held = (n: number, bytes = 10): Held => ({
  n,
  type: 'a',
  verb: 'ev',
  line: Buffer.alloc(bytes),
})

describe('a publisher session', () => {
  it('says of each number whether it is the next one, came before, or leaves a hole', () => {
    const session = new PublisherSession({ events: 10, bytes: 1_000 })
    expect([0, 1, 2].map((n) => session.place(n))).toEqual(['again', 'next', 'hole'])
    session.receive(1)
    expect([1, 2, 3].map((n) => session.place(n))).toEqual(['again', 'next', 'hole'])
  })

  it('takes back what was received and not accepted when its link is lost', () => {
    const session = new PublisherSession({ events: 10, bytes: 1_000 })
    for (const n of [1, 2, 3]) session.receive(n)
    session.accept(1)
    session.hold(held(2))
    session.hold(held(3))
    session.unlink()
    expect(session).toMatchObject({ received: 1, accepted: 1, held: 0 })
    expect(session.place(2)).toBe('next')
    expect(session.canHold(1_000)).toBe(true)
  })

  it('holds at most its window, in events and in bytes, but always one event', () => {
    const session = new PublisherSession({ events: 3, bytes: 100 })
    expect(session.canHold(1_000)).toBe(true)
    session.hold(held(1, 60))
    expect(session.canHold(40)).toBe(true)
    expect(session.canHold(41)).toBe(false)
    session.hold(held(2, 10))
    session.hold(held(3, 10))
    expect(session.canHold(1)).toBe(false)
    session.unhold()
    expect(session.canHold(80)).toBe(true)
    expect(session.peekHeld()?.n).toBe(2)
  })

  it('remembers a refusal as long as its answer may have been lost, and no longer', () => {
    const session = new PublisherSession({ events: 5, bytes: 1_000 })
    for (let n = 1; n <= 20; n++) {
      session.receive(n)
      session.accept(n)
      if (n % 2 === 0) session.refuse(n, 'size')
      session.confirm(n)
    }
    expect(session.refusals()).toEqual([
      [16, 'size'],
      [18, 'size'],
      [20, 'size'],
    ])
  })

  it('does not tell a refusal before what stands in front of it is confirmed', () => {
    const session = new PublisherSession({ events: 5, bytes: 1_000 })
    for (const n of [1, 2]) session.receive(n)
    session.refuse(2, 'type')
    expect(session.refusals()).toEqual([])
    session.accept(2)
    session.confirm(2)
    expect(session.refusals()).toEqual([[2, 'type']])
  })
})
