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
    name: 'a hub with a small log',
    url: (
      await hubFor({
        allowAnonymous: true,
        log: { maxEvents: 400 },
        limits: { subscriptionsPerConnection: 12 },
      })
    ).url,
    settings: { confirm: 'hub', logEvents: 400, subscriptions: 12, plain: true },
    onReport,
  },
)

// Times that would be too short for the other cases on a busy machine.
hubProtocolSuite(
  { describe, it },
  {
    name: 'a hub that is short of time',
    url: (
      await hubFor({
        allowAnonymous: true,
        helloMs: 1_000,
        sessionTtlMs: 2_000,
        heartbeatMs: 200,
        holdMs: 200,
        log: { maxEvents: 50 },
      })
    ).url,
    settings: { helloMs: 1_000, sessionTtlMs: 2_000, heartbeatMs: 200, holdMs: 200, logEvents: 50 },
    only: ['W22', 'W88', 'W92', 'W143', 'W144'],
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
    name: 'a hub with rates',
    url: (
      await hubFor({
        authenticate: ({ token = '' }) => TOKENS[token] ?? null,
        limits: {
          publishPerSecond: 50,
          rate: { messages: 40, controlFrames: 30 },
          connectionsPerPrincipal: 4,
        },
      })
    ).url,
    credentials: { token: 'alice' },
    settings: {
      publishPerSecond: 50,
      controlFramesPerSecond: 30,
      messagesPerSecond: 40,
      connectionsPerPrincipal: 4,
    },
    only: ['W45', 'W145', 'W146', 'W147'],
    onReport,
  },
)

test('between them these hubs run every case', () => {
  const exercised = reports.map(({ cases }) =>
    cases.filter(({ status }) => status !== 'not-exercised').map(({ id }) => id),
  )
  const everything = reports[0]?.cases.map(({ id }) => id) ?? []
  expect(new Set(exercised.flat())).toEqual(new Set(everything))
  expect(everything.length).toBeGreaterThan(100)
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
