import { describe, expect, it } from 'vitest'
import {
  PublisherSession,
  costOf,
  type PendingPublish,
  type PendingTotal,
} from './publisher-session.ts'

const newTotal = (): PendingTotal => ({ events: 0, bytes: 0 })

const event = (n: number, bytes = 10): PendingPublish => ({
  n,
  type: 'a',
  verb: 'ev',
  line: Buffer.alloc(bytes),
})

describe('a publisher session', () => {
  it('says of each number whether it is the next one, came before, or leaves a hole', () => {
    const session = new PublisherSession({ events: 10, bytes: 1_000 })
    expect([0, 2, 1].map((n) => session.receive(n, 10))).toEqual(['again', 'hole', undefined])
    expect([1, 3, 2].map((n) => session.receive(n, 10))).toEqual(['again', 'hole', undefined])
    expect(session.received).toBe(2)
  })

  it('takes no number that is further ahead of the confirmed one than the window', () => {
    const session = new PublisherSession({ events: 2, bytes: 1_000 })
    expect([1, 2, 3].map((n) => session.receive(n, 10))).toEqual([undefined, undefined, 'window'])
    session.accept(1, true)
    expect(session.receive(3, 10)).toBeUndefined()
  })

  it('takes any size while nothing waits, and at most twice the bytes of the window in all once something does', () => {
    const session = new PublisherSession({ events: 10, bytes: 100 })
    expect(session.receive(1, 1_000)).toBeUndefined()
    session.addPending(event(1, 60), newTotal())
    expect(session.receive(2, 141)).toBe('window')
    expect(session.receive(2, 140)).toBeUndefined()
  })

  it('takes back what was received and not accepted when its link is lost', () => {
    const session = new PublisherSession({ events: 10, bytes: 1_000 })
    const total = newTotal()
    for (const n of [1, 2, 3]) session.receive(n, 10)
    session.accept(1, false)
    session.addPending(event(2), total)
    session.addPending(event(3), total)
    session.unlink()
    expect(session).toMatchObject({ received: 1, accepted: 1, pending: 0 })
    expect(session.receive(2, 10)).toBeUndefined()
    expect(session.canAddPending(1_000)).toBe(true)
    expect(total).toEqual(newTotal())
  })

  it('counts what waits together with that of others, and what is lost with its link', () => {
    const total = newTotal()
    const [a, b] = [0, 1].map(() => new PublisherSession({ events: 10, bytes: 1_000 }))
    if (a === undefined || b === undefined) throw new Error('two sessions')
    const items: PendingPublish[] = [
      event(1, 10),
      event(0),
      { n: 2, code: 'size' },
      event(0),
      event(3, 90),
    ]
    for (const item of items) a.addPending(item, total)
    b.addPending(event(1, 40), total)
    expect(total.events).toBe(6)
    expect(total.bytes).toBe(a.pendingCost + b.pendingCost)
    expect(a.pendingCost).toBe(items.map(costOf).reduce((sum, cost) => sum + cost))
    a.removePending()
    a.removePending()
    expect(total).toEqual({ events: 4, bytes: a.pendingCost + b.pendingCost })
    expect(a.unlink()).toBe(1)
    expect(total).toEqual({ events: 1, bytes: costOf(event(1, 40)) })
    expect(a.unlink()).toBe(0)
    b.removePending()
    b.removePending()
    expect(total).toEqual(newTotal())
  })

  it('lets at most its window wait, in events and in bytes, but always one event', () => {
    const session = new PublisherSession({ events: 3, bytes: 100 })
    const total = newTotal()
    expect(session.canAddPending(1_000)).toBe(true)
    session.addPending(event(1, 60), total)
    expect(session.canAddPending(40)).toBe(true)
    expect(session.canAddPending(41)).toBe(false)
    session.addPending(event(2, 10), total)
    session.addPending(event(3, 10), total)
    expect(session.canAddPending(1)).toBe(false)
    session.removePending()
    expect(session.canAddPending(80)).toBe(true)
    expect(session.nextPending?.n).toBe(2)
  })

  it('remembers a refusal as long as its answer may have been lost, and no longer', () => {
    const session = new PublisherSession({ events: 5, bytes: 1_000 })
    for (let n = 1; n <= 20; n++) {
      session.receive(n, 10)
      session.accept(n, false)
      if (n % 2 === 0) session.refuse(n, 'size')
      session.confirm(n)
    }
    expect(session.refusals()).toEqual([
      [16, 'size'],
      [18, 'size'],
      [20, 'size'],
    ])
  })

  it('repeats no refusal before what stands in front of it is answered', () => {
    const session = new PublisherSession({ events: 5, bytes: 1_000 })
    for (const n of [1, 2]) session.receive(n, 10)
    session.refuse(2, 'type')
    expect(session.refusals()).toEqual([])
    session.accept(2, false)
    expect(session.refusals()).toEqual([[2, 'type']])
  })
})
