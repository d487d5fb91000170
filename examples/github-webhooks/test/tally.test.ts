import { expect, test } from 'vitest'
import type { PublisherReport, SubscriberReport } from '../src/messages.ts'
import { tally, type Account, type Guarantee } from '../src/tally.ts'

const PUBLISHED: PublisherReport = {
  published: 10,
  rejected: {},
  notSent: [],
  unknown: [],
  breaks: [],
  resent: 0,
  reconnects: 0,
  dropped: 0,
  deadLetters: 0,
}
const RECEIVED: SubscriberReport = {
  delivered: [{ from: 1, to: 10 }],
  duplicates: 0,
  strangers: 0,
  breaks: [],
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
    guarantee = 'at-most-once',
  }: {
    readonly published?: Partial<PublisherReport>
    readonly pattern?: string
    readonly guarantee?: Guarantee
  } = {},
): Account {
  const publication = {
    total: 10,
    typeOf: (sequence: number) => (sequence % 2 === 0 ? 'even.n' : 'odd.n'),
    report: { ...PUBLISHED, ...published },
  }
  return tally(publication, pattern, { ...RECEIVED, ...received }, guarantee)
}

test('finds nothing missing where everything arrived', () => {
  expect(account({})).toEqual({
    pattern: '>',
    matched: 10,
    delivered: 10,
    missing: 0,
    deadLettered: 0,
    duplicates: 0,
    gaps: [],
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

test('names a gap where the link of the subscriber broke', () => {
  const delivered = [
    { from: 1, to: 3 },
    { from: 7, to: 10 },
  ]
  expect(account({ delivered, breaks: [{ after: 3, before: 7 }] })).toMatchObject({
    matched: 10,
    delivered: 7,
    missing: 3,
    gaps: [{ from: 4, to: 6, events: 3, causes: ['subscriber-link'] }],
    problems: [],
  })
})

test('a gap of a pattern counts its matches and not the numbers in between', () => {
  const delivered = [2, 10].map((n) => ({ from: n, to: n }))
  const { gaps, problems } = account(
    { delivered, breaks: [{ after: 2, before: 10 }] },
    { pattern: 'even.*' },
  )
  expect(gaps).toEqual([{ from: 4, to: 8, events: 3, causes: ['subscriber-link'] }])
  expect(problems).toEqual([])
})

test('names a gap that ends where the link of the publisher broke', () => {
  const delivered = [
    { from: 1, to: 3 },
    { from: 7, to: 10 },
  ]
  const { gaps, problems } = account({ delivered }, { published: { breaks: [6] } })
  expect(gaps).toEqual([{ from: 4, to: 6, events: 3, causes: ['publisher-link'] }])
  expect(problems).toEqual([])
})

test('what never came back after a broken link is a gap until the end', () => {
  const { gaps, problems } = account({
    delivered: [{ from: 1, to: 8 }],
    breaks: [{ after: 8, before: null }],
  })
  expect(gaps).toEqual([{ from: 9, to: 10, events: 2, causes: ['subscriber-link'] }])
  expect(problems).toEqual([])
})

test.each<[string, Partial<SubscriberReport>, Partial<PublisherReport>]>([
  ['no link broke at all', {}, {}],
  ['the link of the subscriber broke elsewhere', { breaks: [{ after: 8, before: 10 }] }, {}],
  ['the link of the publisher broke later', {}, { breaks: [7] }],
  ['the link of the publisher broke before', {}, { breaks: [3] }],
])('an event that is lost while %s is a problem', (_, received, published) => {
  const delivered = [
    { from: 1, to: 3 },
    { from: 7, to: 10 },
  ]
  const { gaps, problems } = account({ delivered, ...received }, { published })
  expect(gaps).toMatchObject([{ causes: ['unexplained'] }])
  expect(problems).toEqual([expect.stringContaining('no link had broken')])
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
    { from: 2, to: 3 },
    { from: 11, to: 11 },
  ]
  const { problems } = account(
    { delivered, strangers: 1, breaks: [{ after: 2, before: null }] },
    { pattern: 'even.*' },
  )
  expect(problems).toEqual([expect.stringContaining('3 events that nobody published')])
})

test('an event in the dead letters is accounted for, not missing', () => {
  const received = { delivered: [{ from: 1, to: 9 }], deadLettered: [{ from: 10, to: 10 }] }
  expect(account(received)).toMatchObject({
    delivered: 9,
    deadLettered: 1,
    missing: 0,
    problems: [],
  })
})

test('with at-least-once every lost event is a problem, also in a gap with a cause', () => {
  const received = { delivered: [{ from: 1, to: 9 }], breaks: [{ after: 9, before: null }] }
  expect(account(received).problems).toEqual([])
  expect(account(received, { guarantee: 'at-least-once' }).problems).toEqual([
    expect.stringContaining('lost 1 events'),
  ])
})
