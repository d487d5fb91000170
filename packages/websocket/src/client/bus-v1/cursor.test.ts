import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cursor } from './cursor.ts'

type Step =
  | { readonly do: 'event'; readonly gap: number; readonly sinks: number; readonly early: number }
  | { readonly do: 'mark'; readonly ahead: number }
  | { readonly do: 'settle'; readonly pick: number }
  | { readonly do: 'late'; readonly pick: number }
  | { readonly do: 'reset'; readonly offset: number }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: event() },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('mark' as const), ahead: fc.nat(9) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('settle' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('late' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), offset: fc.nat(50) }) },
)

function event(): fc.Arbitrary<Step> {
  return fc.record({
    do: fc.constant('event' as const),
    gap: fc.integer({ min: 1, max: 4 }),
    sinks: fc.nat(3),
    early: fc.nat(3),
  })
}

/** Keeps everything, and finds the position by looking through all of it. */
class NaiveCursor {
  received: { offset: number; left: number }[] = []
  seen = 0
  start = 0

  get position(): number {
    const firstOpen = this.received.findIndex(({ left }) => left > 0)
    if (firstOpen === -1) return this.seen
    return this.received[firstOpen - 1]?.offset ?? this.start
  }

  get outstanding(): number {
    const firstOpen = this.received.findIndex(({ left }) => left > 0)
    return firstOpen === -1 ? 0 : this.received.length - firstOpen
  }
}

/** A cursor beside the naive one, and the tokens that are still to be settled. */
class Pair {
  readonly cursor = new Cursor()
  model = new NaiveCursor()
  open: { token: number; entry: { left: number } }[] = []
  readonly spent: number[] = []

  take(step: Step): void {
    if (step.do === 'event') this.#event(step.gap, step.sinks, Math.min(step.early, step.sinks))
    else if (step.do === 'mark') this.#mark(this.model.seen + step.ahead - 3)
    else if (step.do === 'settle') this.#settle(step.pick)
    else if (step.do === 'late') this.#late(step.pick)
    else this.#reset(step.offset)
    // With nothing open everything seen is behind us, marks included.
    if (this.model.outstanding > 0) return
    this.model.start = this.model.seen
    this.model.received = []
  }

  #event(gap: number, sinks: number, early: number): void {
    const offset = this.model.seen + gap
    const token = this.cursor.begin(offset)
    // Some sinks settle inside of deliver, and one may settle an older event there.
    for (let n = 0; n < early; n++) this.cursor.settle(token)
    this.cursor.end(offset, sinks)
    this.model.seen = offset
    const entry = { offset, left: sinks - early }
    this.model.received.push(entry)
    for (let n = 0; n < entry.left; n++) this.open.push({ token, entry })
    if (entry.left === 0) this.spent.push(token)
  }

  #mark(offset: number): void {
    this.cursor.mark(Math.max(offset, 0))
    this.model.seen = Math.max(this.model.seen, offset)
  }

  #settle(pick: number): void {
    const [one] = this.open.splice(pick % Math.max(this.open.length, 1), 1)
    if (one === undefined) return
    one.entry.left--
    if (one.entry.left === 0) this.spent.push(one.token)
    this.cursor.settle(one.token)
  }

  #late(pick: number): void {
    const token = this.spent[pick % Math.max(this.spent.length, 1)]
    if (token !== undefined) this.cursor.settle(token)
  }

  #reset(offset: number): void {
    const kept = this.model.received.filter(({ left }) => left > 0)
    for (const entry of kept) entry.offset = offset
    this.model = new NaiveCursor()
    this.model.received = kept
    this.model.seen = offset
    this.model.start = offset
    this.cursor.reset(offset)
  }
}

test('stands where looking through everything that came says, whatever is settled in which order', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 120 }), (steps) => {
      const pair = new Pair()
      for (const each of steps) {
        pair.take(each)
        expect(pair.cursor.position).toBe(pair.model.position)
        expect(pair.cursor.outstanding).toBe(pair.model.outstanding)
        expect(pair.cursor.seen).toBe(pair.model.seen)
        expect(pair.cursor.begin(pair.model.seen)).toBe(0)
      }
      for (const { token } of pair.open) pair.cursor.settle(token)
      expect([pair.cursor.position, pair.cursor.outstanding]).toEqual([pair.model.seen, 0])
    }),
    { numRuns: 500 },
  )
})

test('counts what was settled since the last acknowledgement, which names an offset only once', () => {
  const cursor = new Cursor()
  const tokens = [1, 2, 3].map((offset) => {
    const token = cursor.begin(offset)
    cursor.end(offset, 1)
    return token
  })
  expect([cursor.settle(tokens[1] ?? 0), cursor.due(3)]).toEqual([false, undefined])
  expect([cursor.settle(tokens[0] ?? 0), cursor.due(3)]).toEqual([true, 2])
  expect([cursor.take(3), cursor.take(3), cursor.due(3)]).toEqual([2, undefined, undefined])
  cursor.settle(tokens[2] ?? 0)
  expect(cursor.due(3)).toBe(1)
})

test('acknowledges nothing beyond what the hub has sent on this link', () => {
  const cursor = new Cursor()
  for (const offset of [1, 2, 3]) {
    cursor.begin(offset)
    cursor.end(offset, 0)
  }
  cursor.resume(0)
  expect([cursor.due(0), cursor.take(0)]).toEqual([undefined, undefined])
  expect([cursor.take(2), cursor.take(3)]).toEqual([2, 3])
})

test('keeps nothing of an event that is settled while it is delivered', () => {
  const cursor = new Cursor()
  for (let offset = 1; offset <= 10; offset++) {
    const token = cursor.begin(offset)
    cursor.settle(token)
    cursor.end(offset, 1)
    expect([cursor.position, cursor.outstanding]).toEqual([offset, 0])
  }
})

test('waits in the next log for what a handler still has of the log before', () => {
  const cursor = new Cursor()
  const old = cursor.begin(5)
  cursor.end(5, 1)
  cursor.reset(0)
  // The same event, sent again and known: no sink gets it a second time.
  cursor.begin(1)
  cursor.end(1, 0)
  expect(cursor.position).toBe(0)
  cursor.settle(old)
  expect(cursor.position).toBe(1)
})

test('takes a settlement of the log before for none of this one', () => {
  const cursor = new Cursor()
  const old = cursor.begin(5)
  cursor.end(5, 1)
  cursor.reset(0)
  const token = cursor.begin(1)
  cursor.end(1, 1)
  cursor.settle(old)
  cursor.settle(old)
  expect(cursor.position).toBe(0)
  cursor.settle(token)
  expect(cursor.position).toBe(1)
})
