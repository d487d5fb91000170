/** The protocol suite against hubs that break a rule: each is caught by the cases that are named for it. */
import { runHubProtocol, type HubProtocolReport } from '@bus/testing/hub-protocol'
import { afterAll, expect, test } from 'vitest'
import { createHub } from '../src/hub/index.ts'
import { LyingRelay, type Lie, type LyingLink, type Rewrite } from './lying-relay.ts'

const hub = await createHub({ allowAnonymous: true, closeMs: 200 })
afterAll(() => hub.close())

/** Runs the cases against the hub behind a relay with this lie. */
async function runWith(
  lie: Lie,
  only: readonly string[],
  expectMs: number,
): Promise<HubProtocolReport> {
  await using relay = await LyingRelay.start(hub.url, lie)
  // Awaited here: the relay ends with this block.
  return await runHubProtocol({ name: 'liar', url: relay.url, only, timing: { expectMs } })
}

const isEvent = (line: string): boolean => /^[er]v /.test(line)

/** Counts the lines of one kind on one link. */
function count(link: LyingLink, what: string): number {
  const next = Number(link.memory.get(what) ?? 0) + 1
  link.memory.set(what, String(next))
  return next
}

/** Changes the members of a line that is a verb and an object. */
function changed(verb: string, change: (members: Record<string, unknown>) => object): Rewrite {
  return (line) => {
    if (!line.startsWith(`${verb} `)) return [line]
    const members = JSON.parse(line.slice(verb.length + 1)) as Record<string, unknown>
    return [`${verb} ${JSON.stringify({ ...members, ...change(members) })}`]
  }
}

const without =
  (verb: string): Rewrite =>
  (line) =>
    line.startsWith(`${verb} `) ? [] : [line]

const swaps: Rewrite = (line, link) => {
  if (!isEvent(line)) return [line]
  const held = link.memory.get('held')
  if (held !== undefined) {
    link.memory.delete('held')
    return [line, held]
  }
  if (count(link, 'events') % 10 !== 3) return [line]
  link.memory.set('held', line)
  return []
}

const repeatsAfterResume: Rewrite = (line, link) => {
  if (isEvent(line)) link.shared.set('last', line)
  const last = link.shared.get('last')
  return line.includes('"resumed":true') && last !== undefined ? [line, last] : [line]
}

const refusesLate: Rewrite = (line, link) => {
  if (line.startsWith('no ')) {
    link.memory.set('no', line)
    return []
  }
  const held = link.memory.get('no')
  if (!line.startsWith('ok ') || held === undefined) return [line]
  link.memory.delete('no')
  return [line, held]
}

/** A number that comes again is given to the hub as a new one. */
const forgetsNumbers: Lie = {
  upstream: (line, link) => {
    const [, n, rest] = /^pub (\d+) (.*)$/s.exec(line) ?? []
    if (n === undefined) return [line]
    const shift = Number(link.memory.get('shift') ?? 0)
    const last = Number(link.memory.get('last') ?? 0)
    const more = Number(n) + shift <= last ? last + 1 - Number(n) : shift
    link.memory.set('shift', String(more)).set('last', String(Number(n) + more))
    return [`pub ${Number(n) + more} ${rest}`]
  },
  downstream: (line, link) => {
    const [, n] = /^ok (\d+)$/.exec(line) ?? []
    return n === undefined ? [line] : [`ok ${Number(n) - Number(link.memory.get('shift') ?? 0)}`]
  },
}

const VERBS = /^(hello|pub|rep|sub|unsub|ack|auth|bye) /

const LIES: readonly (readonly [what: string, lie: Lie, caughtBy: readonly string[]])[] = [
  [
    'confirms the next number too',
    { downstream: (line) => [line.replace(/^ok (\d+)$/, (_, n) => `ok ${Number(n) + 1}`)] },
    ['W30', 'W31'],
  ],
  [
    'drops an event',
    { downstream: (line, link) => (isEvent(line) && count(link, 'ev') === 7 ? [] : [line]) },
    ['W51', 'W52', 'W53'],
  ],
  ['swaps two events', { downstream: swaps }, ['W51']],
  [
    'sends an event twice',
    { downstream: (line) => (isEvent(line) ? [line, line] : [line]) },
    ['W51', 'W53'],
  ],
  ['repeats an event after a resume', { downstream: repeatsAfterResume }, ['W83', 'W85']],
  [
    'forgets the fence',
    { close: (code, why) => (code === 4410 ? undefined : [code, why]) },
    ['W100'],
  ],
  [
    'sends each client another epoch',
    { downstream: changed('welcome', ({ sid }) => ({ epoch: sid })) },
    ['W12', 'W87'],
  ],
  [
    'is silent about unknown verbs',
    { upstream: (line) => (VERBS.test(line) ? [line] : []) },
    ['W110'],
  ],
  ['sends an event before the welcome', { greeting: 'ev 1 a i {}' }, ['W6', 'W10']],
  [
    'writes bodies anew',
    {
      downstream: (line) => {
        const at = line.indexOf('{')
        if (!isEvent(line) || line.includes('no JSON')) return [line]
        return [line.slice(0, at) + JSON.stringify(JSON.parse(line.slice(at)))]
      },
    },
    ['W50'],
  ],
  ['sends a refusal behind the ok', { downstream: refusesLate }, ['W37']],
  ['relays a number twice', forgetsNumbers, ['W32']],
  [
    'closes with another code for a hole',
    { close: (code, why) => [code === 4409 ? 4400 : code, why] },
    ['W33', 'W73'],
  ],
  ['never marks', { downstream: without('mark') }, ['W74']],
  ['hides gaps', { downstream: changed('welcome', () => ({ gaps: [] })) }, ['W103', 'W104']],
  [
    'resumes nothing',
    { downstream: changed('welcome', () => ({ resumed: false })) },
    ['W80', 'W83', 'W100'],
  ],
  [
    'forgets cursors',
    { upstream: changed('hello', () => ({ offset: undefined })) },
    ['W83', 'W103'],
  ],
  [
    'ignores windows',
    { upstream: changed('hello', () => ({ window: undefined })) },
    ['W70', 'W71'],
  ],
  [
    'ignores how much a client takes',
    { upstream: changed('hello', () => ({ maxMessageBytes: undefined })) },
    ['W106', 'W107'],
  ],
  ['sends a repetition as new', { downstream: (line) => [line.replace(/^rv /, 'ev ')] }, ['W39']],
  ['goes on after an unsub', { upstream: without('unsub') }, ['W65']],
  [
    'ignores where a sub begins',
    { upstream: (line) => [line.replace(/^(sub .* a..) \d+$/, '$1')] },
    ['W61'],
  ],
  [
    'leaves with another code',
    { close: (code, why) => [code === 1000 ? 1001 : code, why] },
    ['W130'],
  ],
]

test.each(LIES)('a hub that %s is caught', async (_what, lie, caughtBy) => {
  const { cases } = await runWith(lie, caughtBy, 700)
  const failed = cases.filter(({ status }) => status === 'failed').map(({ id }) => id)
  expect(failed).toEqual(caughtBy)
})

test('the same relay without a lie is not', async () => {
  const named = [...new Set(LIES.flatMap(([, , caughtBy]) => caughtBy))]
  const { cases } = await runWith({}, named, 10_000)
  expect(cases.filter(({ status }) => status !== 'passed')).toEqual([])
})

test('a hub that is not set as it is said to be is caught', async () => {
  const only = ['W22', 'W43', 'W44', 'W45', 'W46', 'W68', 'W88', 'W90', 'W91', 'W92']
  only.push('W143', 'W144', 'W145', 'W146')
  await using other = await createHub({
    allowAnonymous: true,
    closeMs: 200,
    limits: { rate: { controlFrames: 10_000 } },
  })
  const { cases } = await runHubProtocol({
    name: 'liar',
    url: other.url,
    settings: {
      confirm: 'subscribers',
      helloMs: 50,
      sessionTtlMs: 5,
      logEvents: 20,
      holdMs: 50,
      heartbeatMs: 50,
      subscriptions: 5,
      publishPerSecond: 20,
      controlFramesPerSecond: 20,
      messagesPerSecond: 20,
    },
    only,
    timing: { expectMs: 500 },
  })
  const failed = cases.filter(({ status }) => status === 'failed').map(({ id }) => id)
  expect(failed).toEqual(only)
})

test('a hub that takes every client for the same is caught', async () => {
  await using other = await createHub({
    closeMs: 200,
    allowAnonymous: true,
    authenticate: () => ({ id: 'everybody' }),
  })
  const only = ['W89', 'W134', 'W135', 'W137', 'W139', 'W140', 'W141', 'W142', 'W147']
  const { cases } = await runHubProtocol({
    name: 'liar',
    url: other.url,
    credentials: {
      token: 'alice',
      other: 'bob',
      bad: 'mallory',
      isRequired: true,
      limited: { token: 'guest', mayNotPublish: 'secret.a', mayNotRead: 'secret.>' },
    },
    settings: { connectionsPerPrincipal: 3 },
    only,
    timing: { expectMs: 500 },
  })
  const failed = cases.filter(({ status }) => status === 'failed').map(({ id }) => id)
  expect(failed).toEqual(only)
})
