import { describe, expect, test } from 'vitest'
import { createHub } from './hub.ts'
import {
  resolveHubOptions,
  type EventLogOptions,
  type HubLimits,
  type HubOptions,
  type RateLimits,
} from './options.ts'

const RATE: Record<keyof RateLimits, undefined> = {
  messages: undefined,
  bytes: undefined,
  controlFrames: undefined,
}
const LOG: Record<keyof EventLogOptions, undefined> = {
  maxEvents: undefined,
  maxBytes: undefined,
  maxAgeMs: undefined,
}
const LIMITS: Required<HubLimits> = {
  maxEventBytes: undefined,
  connections: undefined,
  connectionsPerIp: undefined,
  connectionsPerPrincipal: undefined,
  authentications: undefined,
  sessions: undefined,
  subscriptionsPerConnection: undefined,
  subscriptions: undefined,
  heldBytes: undefined,
  publishPerSecond: undefined,
  rate: RATE,
  principalRate: RATE,
  window: { events: undefined, bytes: undefined },
}
/** Every option: one that is added without a line here does not compile. */
const ABSENT: Required<HubOptions> = {
  port: undefined,
  host: undefined,
  server: undefined,
  path: undefined,
  backend: undefined,
  plain: undefined,
  maxMessageBytes: undefined,
  highWaterMarkBytes: undefined,
  slowReaderMs: undefined,
  closeMs: undefined,
  authenticate: undefined,
  allowAnonymous: true,
  authorize: undefined,
  source: undefined,
  origins: undefined,
  hosts: undefined,
  limits: LIMITS,
  log: LOG,
  confirm: undefined,
  sessionTtlMs: undefined,
  holdMs: undefined,
  graceMs: undefined,
  heartbeatMs: undefined,
  helloMs: undefined,
  onError: undefined,
}

describe('options of the hub that are undefined', () => {
  test('are the same as absent, also inside of others', () => {
    const without = resolveHubOptions({ allowAnonymous: true })
    expect(resolveHubOptions(ABSENT)).toStrictEqual(without)
    const groups = { limits: undefined, log: undefined }
    expect(resolveHubOptions({ ...ABSENT, ...groups })).toStrictEqual(without)
  })

  test('make a hub', async () => {
    await using hub = await createHub(ABSENT)
    expect(hub.port).toBeGreaterThan(0)
  })
})
