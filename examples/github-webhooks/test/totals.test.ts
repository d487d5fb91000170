import { expect, test } from 'vitest'
import type { JobReport } from '../src/job.ts'
import type { PublisherReport, SubscriberReport } from '../src/messages.ts'
import { totalsOf, type Totals } from '../src/totals.ts'

const RECEIVED: SubscriberReport = {
  delivered: [{ from: 1, to: 10 }],
  duplicates: 0,
  disordered: 0,
  strangers: 0,
  suppressed: 2,
  gapNotices: ['epoch'],
  deadLettered: [],
  deadLetters: 0,
  reconnects: 1,
  dropped: 0,
}

/** Ten events, two subscribers of everything. */
function totals(
  published: Partial<PublisherReport> = {},
  problems: readonly string[] = [],
): Totals {
  const publisher: PublisherReport = {
    guarantee: 'at-least-once',
    published: 10,
    confirmed: 10,
    rejected: {},
    notSent: [],
    unknown: [],
    resent: 3,
    reconnects: 2,
    dropped: 0,
    deadLetters: 0,
    ...published,
  }
  const job: JobReport = {
    publisher,
    subscribers: [RECEIVED, RECEIVED],
    disturbances: ['killed and restarted the hub'],
    restarts: 1,
  }
  const account = {
    pattern: '>',
    matched: 10,
    delivered: 10,
    missing: 0,
    deadLettered: 0,
    duplicates: 0,
    suppressed: 2,
    gaps: [],
    gapNotices: 1,
  }
  const accounts = [
    { name: 'a', ...account, problems },
    { name: 'b', ...account, problems: [] },
  ]
  return totalsOf({ events: 10, seconds: 1, job, accounts })
}

test('adds up the figures of all processes', () => {
  expect(totals()).toMatchObject({
    ok: true,
    guarantee: 'at-least-once',
    published: 10,
    confirmed: 10,
    delivered: { a: 10, b: 10 },
    resent: 3,
    suppressed: 4,
    duplicates: 0,
    reconnects: 4,
    gaps: 0,
    gapNotices: 2,
    problems: [],
  })
})

test('a problem of one subscriber is one of the run', () => {
  expect(totals({}, ['lost'])).toMatchObject({ ok: false, problems: ['lost'] })
})

test.each<[string, Partial<PublisherReport>, string]>([
  ['settled', { published: 9, confirmed: 9 }, 'Of 10 publishes only 9 were settled'],
  ['confirmed', { confirmed: 9 }, '1 events were published without a confirmation'],
  [
    'published',
    { published: 9, confirmed: 9, rejected: { 'too-large': 1 } },
    '1 events could not be published (too-large)',
  ],
])('an event that was not %s is a problem', (_, published, problem) => {
  expect(totals(published)).toMatchObject({ ok: false, problems: [problem] })
})

test('a hub that promises less is a problem', () => {
  const { ok, problems } = totals({ guarantee: 'at-most-once' })
  expect(ok).toBe(false)
  expect(problems).toEqual(['The hub promised only at-most-once'])
})
