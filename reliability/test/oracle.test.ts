/** The oracle must see everything that can go wrong: each kind of fault is fed to it once. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { payloadOf, isIntact } from '../src/load/payload.ts'
import { drawUp, type Account } from '../src/oracle/account.ts'
import { Ledger } from '../src/oracle/ledger.ts'
import { SubscriberRecord } from '../src/oracle/record.ts'

const SEED = 7
const EVENTS = 10

/** Two publishers whose events are all confirmed. */
function confirmed(): Ledger {
  const ledger = new Ledger(2, EVENTS)
  for (let p = 0; p < 2; p++) for (let n = 0; n < EVENTS; n++) ledger.settle(p, n, 'confirmed')
  return ledger
}

/** What a subscriber gets: events as `[publisher, number]`, and gaps as their size. */
function account(
  what: readonly ([p: number, n: number] | number)[],
  ledger = confirmed(),
): Account {
  const record = new SubscriberRecord(2, EVENTS)
  for (const one of what) {
    if (typeof one === 'number') record.gap({ from: 1, to: one, reason: 'slow', patterns: [] })
    else record.handle(payloadOf(SEED, ...one))
  }
  return drawUp(ledger, record)
}

const all = (p: number): [number, number][] => Array.from({ length: EVENTS }, (_, n) => [p, n])
const sound = [...all(0), ...all(1)]
const SOUND = { handled: 20, lost: 0, silent: 0, duplicates: 0, disordered: 0, impossible: 0 }

describe('the account of a subscriber', () => {
  test('is sound when everything came once and in order', () => {
    expect(account(sound)).toMatchObject({ ...SOUND, gaps: {}, gapSize: 0, examples: [] })
  })

  test('names an event that is missing in the middle', () => {
    const without = sound.filter(([p, n]) => p !== 0 || n !== 4)
    expect(account(without)).toMatchObject({ lost: 1, silent: 1, examples: ['0-4'] })
  })

  test('names an event that is missing at the end', () => {
    expect(account(sound.slice(0, -1))).toMatchObject({ lost: 1, silent: 1, examples: ['1-9'] })
  })

  test('counts what was lost where a gap was told, but not as silent', () => {
    expect(account([[0, 0], [0, 1], 3, [0, 5], ...all(0).slice(6), ...all(1)])).toMatchObject({
      lost: 3,
      silent: 0,
      gaps: { slow: 1 },
      gapSize: 3,
    })
    expect(account([...sound.slice(0, -2), 2])).toMatchObject({ lost: 2, silent: 0 })
  })

  test('takes a gap that was told elsewhere for no excuse', () => {
    const missing = [[0, 0], [0, 1], [0, 5], 3, ...all(0).slice(6), ...all(1)] as const
    expect(account(missing.map((one) => (typeof one === 'number' ? one : [...one])))).toMatchObject(
      {
        lost: 3,
        silent: 3,
      },
    )
  })

  test('counts an event that came twice', () => {
    expect(account([...sound, [0, 3]])).toMatchObject({ ...SOUND, duplicates: 1 })
  })

  test('counts an event that was overtaken', () => {
    expect(account([[0, 1], [0, 0], ...sound.slice(2)])).toMatchObject({ ...SOUND, disordered: 1 })
  })

  test('counts an event that was never published', () => {
    expect(account([...sound, [0, EVENTS]])).toMatchObject({ ...SOUND, impossible: 1 })
    expect(account([...sound, [2, 0]])).toMatchObject({ ...SOUND, impossible: 1 })
  })

  test('expects nothing of an event that was not confirmed, and is surprised by one that was not sent', () => {
    const ledger = new Ledger(2, EVENTS)
    for (const [p, n] of sound) ledger.settle(p, n, n === 3 ? 'not-sent' : 'unknown')
    expect(account([], ledger)).toMatchObject({ handled: 0, lost: 0, impossible: 0 })
    expect(account([[0, 3]], ledger)).toMatchObject({ handled: 1, impossible: 1 })
  })

  test('finds any one fault in any sound run', () => {
    const at = fc.nat({ max: sound.length - 1 })
    fc.assert(
      fc.property(at, fc.constantFrom('drop', 'double', 'swap'), (i, fault) => {
        const run = [...sound]
        const event = run[i] ?? [0, 0]
        const next = run[i + 1]
        if (fault === 'drop') run.splice(i, 1)
        else if (fault === 'double') run.splice(i, 0, event)
        else if (next === undefined || next[0] !== event[0]) return
        else run.splice(i, 2, next, event)
        const { silent, duplicates, disordered } = account(run)
        const seen = { drop: silent, double: duplicates, swap: disordered }
        expect(seen[fault]).toBe(1)
        expect(silent + duplicates + disordered).toBe(1)
      }),
    )
  })
})

describe('the ledger', () => {
  test('counts each fate, and what is pending', () => {
    const ledger = new Ledger(1, 4)
    ledger.settle(0, 0, 'confirmed')
    ledger.settle(0, 1, 'rejected')
    expect([ledger.settled, ledger.count('pending'), ledger.count('confirmed')]).toEqual([2, 2, 1])
    expect([0, 1, 2].map((n) => ledger.fate(0, n))).toEqual(['confirmed', 'rejected', 'pending'])
  })

  test('notices a publish that is settled twice, and keeps the first fate', () => {
    const ledger = new Ledger(1, 1)
    ledger.settle(0, 0, 'confirmed')
    ledger.settle(0, 0, 'unknown')
    expect(ledger).toMatchObject({ settledAgain: 1 })
    expect(ledger.fate(0, 0)).toBe('confirmed')
  })

  test('keeps the first few reasons only', () => {
    const ledger = new Ledger(1, 1)
    for (let i = 0; i < 100; i++) ledger.note(`reason ${i}`)
    expect(ledger.reasons).toHaveLength(5)
  })
})

test('a payload shows whether it was changed on the way', () => {
  const payload = payloadOf(SEED, 1, 2)
  expect(isIntact(SEED, JSON.parse(JSON.stringify(payload)))).toBe(true)
  for (const change of [{ p: 2 }, { n: 3 }, { check: 1 }, { fill: `${payload.fill}x` }]) {
    expect(isIntact(SEED, { ...payload, ...change })).toBe(false)
  }
  for (const stranger of [null, 'x', {}, payloadOf(SEED + 1, 1, 2)]) {
    expect(isIntact(SEED, stranger)).toBe(false)
  }
})
