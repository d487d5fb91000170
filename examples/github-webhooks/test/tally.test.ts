import { expect, test } from 'vitest'
import type { PublisherReport, SubscriberReport } from '../src/messages.ts'
import { tally, type Account } from '../src/tally.ts'

const PUBLISHED: PublisherReport = {
  guarantee: 'at-least-once',
  published: 10,
  confirmed: 10,
  rejected: {},
  notSent: [],
  unknown: [],
  resent: 0,
  reconnects: 0,
  dropped: 0,
  deadLetters: 0,
}
const RECEIVED: SubscriberReport = {
  delivered: [{ from: 1, to: 10 }],
  duplicates: 0,
  disordered: 0,
  strangers: 0,
  suppressed: 0,
  gapNotices: [],
  deadLettered: [],
  deadLetters: 0,
  reconnects: 0,
  dropped: 0,
}

/** Ten events; those with even numbers are `even.n`. */
function account(
  received: Partial<SubscriberReport>,
  {
    published = {},
    pattern = '>',
    restarts = 0,
  }: {
    readonly published?: Partial<PublisherReport>
    readonly pattern?: string
    readonly restarts?: number
  } = {},
): Account {
  const publication = {
    total: 10,
    typeOf: (sequence: number) => (sequence % 2 === 0 ? 'even.n' : 'odd.n'),
    report: { ...PUBLISHED, ...published },
    restarts,
  }
  return tally(publication, pattern, { ...RECEIVED, ...received })
}

test('finds nothing missing where everything arrived', () => {
  expect(account({})).toEqual({
    pattern: '>',
    matched: 10,
    delivered: 10,
    missing: 0,
    deadLettered: 0,
    duplicates: 0,
    suppressed: 0,
    gaps: [],
    gapNotices: 0,
    problems: [],
  })
})

test('counts only what matches the pattern', () => {
  const delivered = [2, 4, 6, 8, 10].map((n) => ({ from: n, to: n }))
  expect(account({ delivered }, { pattern: 'even.*' })).toMatchObject({
    matched: 5,
    delivered: 5,
    missing: 0,
    problems: [],
  })
})

test('names the gaps in which events are missing, as a problem', () => {
  const delivered = [
    { from: 2, to: 3 },
    { from: 7, to: 9 },
  ]
  expect(account({ delivered })).toMatchObject({
    matched: 10,
    delivered: 5,
    missing: 5,
    gaps: [
      { from: 1, to: 1, events: 1 },
      { from: 4, to: 6, events: 3 },
      { from: 10, to: 10, events: 1 },
    ],
    problems: [expect.stringContaining('lost 5 events: 1, 4–6, 10')],
  })
})

test('a gap of a pattern counts its matches and not the numbers in between', () => {
  const delivered = [2, 10].map((n) => ({ from: n, to: n }))
  const { gaps } = account({ delivered }, { pattern: 'even.*' })
  expect(gaps).toEqual([{ from: 4, to: 8, events: 3 }])
})

test.each<[string, Partial<SubscriberReport>, string]>([
  ['came twice', { duplicates: 1 }, 'got 1 events more than once'],
  ['came out of order', { disordered: 1 }, 'got 1 events out of order'],
])('an event that %s is a problem', (_, received, problem) => {
  expect(account(received).problems).toEqual([expect.stringContaining(problem)])
})

test('an event that came again and was kept from the handler is counted, and no problem', () => {
  expect(account({ suppressed: 3 })).toMatchObject({ suppressed: 3, problems: [] })
})

test('a new hub may say once that it does not know what the old one still had', () => {
  const told = { gapNotices: ['epoch'] } as const
  expect(account(told, { restarts: 1 })).toMatchObject({ gapNotices: 1, problems: [] })
  expect(account(told).problems).toEqual([expect.stringContaining('with 0 restarts')])
})

test('any other notice of a gap is a problem', () => {
  const told = { gapNotices: ['overrun'] } as const
  expect(account(told, { restarts: 1 }).problems).toEqual([expect.stringContaining('overrun')])
})

test('does not expect what the publisher knows was not sent', () => {
  const received = { delivered: [{ from: 1, to: 9 }] }
  const published = { published: 9, rejected: { 'too-large': 1 }, notSent: [{ from: 10, to: 10 }] }
  expect(account(received, { published })).toMatchObject({ matched: 9, missing: 0, problems: [] })
})

test.each([
  ['arrived', [{ from: 1, to: 10 }]],
  ['did not arrive', [{ from: 1, to: 9 }]],
])('an event of unknown outcome is no problem when it %s', (_, delivered) => {
  const published = { published: 9, rejected: { timeout: 1 }, unknown: [{ from: 10, to: 10 }] }
  expect(account({ delivered }, { published })).toMatchObject({ matched: 9, problems: [] })
})

test('an event that arrived although it was not sent is a problem', () => {
  const { problems } = account({}, { published: { notSent: [{ from: 10, to: 10 }] } })
  expect(problems).toEqual([expect.stringContaining('1 events that nobody published')])
})

test('an event that does not match, is unnumbered or beyond the last is a problem', () => {
  const delivered = [
    { from: 2, to: 4 },
    { from: 6, to: 6 },
    { from: 8, to: 8 },
    { from: 10, to: 11 },
  ]
  const { problems } = account({ delivered, strangers: 1 }, { pattern: 'even.*' })
  expect(problems).toEqual([expect.stringContaining('3 events that nobody published')])
})

test('an event in the dead letters is not missing, and a problem all the same', () => {
  const received = { delivered: [{ from: 1, to: 9 }], deadLettered: [{ from: 10, to: 10 }] }
  expect(account(received)).toMatchObject({
    delivered: 9,
    deadLettered: 1,
    missing: 0,
    problems: [expect.stringContaining('gave up 1 events')],
  })
})
