/** The protocol suite against our hub, as it is set in several ways. */
import { hubProtocolSuite, runHubProtocol, type HubProtocolReport } from '@bus/testing/hub-protocol'
import { afterAll, describe, expect, it, test } from 'vitest'
import { createHub, type Hub, type HubOptions, type Principal } from '../src/hub/index.ts'

const hubs: Hub[] = []

/** A hub that ends with this file. */
async function hubFor(options: HubOptions): Promise<Hub> {
  const hub = await createHub({ closeMs: 200, ...options })
  hubs.push(hub)
  return hub
}

afterAll(async () => {
  for (const hub of hubs) await hub.close()
})

const reports: HubProtocolReport[] = []
const onReport = (report: HubProtocolReport): void => void reports.push(report)

hubProtocolSuite(
  { describe, it },
  {
    name: 'a hub with small limits',
    url: (
      await hubFor({
        allowAnonymous: true,
        helloMs: 400,
        sessionTtlMs: 200,
        log: { maxEvents: 400 },
        limits: { subscriptionsPerConnection: 12 },
      })
    ).url,
    settings: {
      confirm: 'hub',
      helloMs: 400,
      sessionTtlMs: 200,
      logEvents: 400,
      subscriptions: 12,
      plain: true,
    },
    onReport,
  },
)

const TOKENS: Readonly<Record<string, Principal>> = {
  alice: { id: 'alice' },
  bob: { id: 'bob' },
  guest: { id: 'guest', grants: { publish: ['open.>'], subscribe: ['open.>'] } },
}

hubProtocolSuite(
  { describe, it },
  {
    name: 'a guarded hub whose subscribers confirm',
    url: (
      await hubFor({
        authenticate: ({ token = '' }) => TOKENS[token] ?? null,
        confirm: 'subscribers',
        graceMs: 0,
        limits: { window: { events: 2_000 } },
      })
    ).url,
    credentials: {
      token: 'alice',
      other: 'bob',
      bad: 'mallory',
      isRequired: true,
      limited: { token: 'guest', mayNotPublish: 'secret.a', mayNotRead: 'secret.>' },
    },
    settings: { confirm: 'subscribers' },
    onReport,
  },
)

hubProtocolSuite(
  { describe, it },
  {
    name: 'a hub with a rate',
    url: (await hubFor({ allowAnonymous: true, limits: { publishPerSecond: 50 } })).url,
    settings: { publishPerSecond: 50 },
    only: ['W45'],
    onReport,
  },
)

test('between them these hubs run every case', () => {
  const exercised = reports.map(({ cases }) =>
    cases.filter(({ status }) => status !== 'not-exercised').map(({ id }) => id),
  )
  const everything = reports[0]?.cases.map(({ id }) => id) ?? []
  expect(new Set(exercised.flat())).toEqual(new Set(everything))
  expect(everything.length).toBeGreaterThan(80)
})

test('no case is left with a warning', () => {
  const warned = reports.flatMap(({ cases }) => cases.filter(({ status }) => status === 'warned'))
  expect(warned).toEqual([])
})

test('a hub that does not listen fails every case, and the run ends', async () => {
  const hub = await hubFor({ allowAnonymous: true })
  const { url } = hub
  await hub.close()
  const report = await runHubProtocol({
    name: 'nobody',
    url,
    only: ['W1', 'W10', 'W22'],
    timing: { expectMs: 100 },
  })
  expect(report.cases.map(({ id, status }) => [id, status])).toEqual([
    ['W1', 'failed'],
    ['W10', 'failed'],
    ['W22', 'not-exercised'],
  ])
})

test.each([
  ['name', { url: 'ws://h' }],
  ['url', { name: 'x' }],
])('without %s there is no suite', async (path, options) => {
  const run = runHubProtocol(options as { name: string; url: string })
  await expect(run).rejects.toMatchObject({ code: 'config', path })
})
