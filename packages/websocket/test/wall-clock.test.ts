/** The wall clock jumps, in either direction: nothing that lasts may be measured by it. */
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createEvent } from '@bus/core'
import { afterEach, expect, test, vi } from 'vitest'
import { busV1 } from '../src/index.ts'
import { collect, only, record, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'

const YEAR_MS = 31_536_000_000

afterEach(() => {
  vi.restoreAllMocks()
})

test.each([
  ['forward', YEAR_MS],
  ['back', -YEAR_MS],
])('a jump %s of a year costs no link, no heartbeat and no event [F7]', async (_where, jumpMs) => {
  const hub = await startHub({ heartbeatMs: 50, sessionTtlMs: 60_000, log: { maxAgeMs: 60_000 } })
  const options = {
    protocol: busV1(),
    heartbeat: { intervalMs: 30, timeoutMs: 30 },
    idleTimeoutMs: 5_000,
  } as const
  const reader = transportTo(hub, options)
  const transport = transportTo(hub, options)
  const notices = [record(reader), record(transport)]
  const seen = await collect(reader, 'a')
  await transport.publish(createEvent('a', 'before'))
  const wall = Date.now.bind(Date)
  vi.spyOn(Date, 'now').mockImplementation(() => wall() + jumpMs)
  const slow = transport.publish(createEvent('a', 'after'), { timeoutMs: 10_000 })
  expect(await slow).toMatchObject({ status: 'confirmed' })
  const since = performance.now()
  await until(() => performance.now() - since > 300, 'ten heartbeats')
  expect(seen.payloads).toEqual(['before', 'after'])
  expect(notices.flatMap((told) => only(told, 'close'))).toEqual([])
  expect(notices.flatMap((told) => only(told, 'heartbeat-timeout'))).toEqual([])
  const { lastInboundAgeMs = Infinity } = await reader.health()
  expect(lastInboundAgeMs).toBeLessThan(5_000)
  // The event says when it was made, by the wall.
  const [before, after] = seen.events
  const apart = (after?.metadata.timestamp ?? 0) - (before?.metadata.timestamp ?? 0)
  expect(Math.abs(apart - jumpMs)).toBeLessThan(60_000)
})

/**
 * Where the time of day is what is wanted: timestamps that are told, and ends that others have named by it. Whoever adds a
 * file here has made sure that nothing that lasts is measured by it.
 */
const TELLS_TIME_OF_DAY = [
  'core/src/bus/publisher.ts',
  'core/src/codec/json-codec.ts',
  'core/src/contract/event.ts',
  'core/src/observe/log-format.ts',
  'core/src/observe/trace.ts',
  'core/src/resilience/dead-letter-store.ts',
  'platforms/src/authentication.ts',
  'platforms/src/channels/channel-record.ts',
  'platforms/src/channels/channel-table.ts',
  'recording/src/connection-recording.ts',
  'recording/src/recorder.ts',
  'websocket/src/client/bus-v1/progress-watch.ts',
  'websocket/src/client/link/dial.ts',
  'websocket/src/client/reconnect/breaker.ts',
  'websocket/src/hub/bus-v1/admission/authenticator.ts',
  'websocket/src/hub/bus-v1/connections/connection-manager.ts',
  'websocket/src/hub/hub.ts',
]

test('the sources read the time of day only where it is reported or compared with one [F7]', () => {
  const packages = fileURLToPath(new URL('../..', import.meta.url))
  const asking = ['core/src', 'platforms/src', 'recording/src', 'websocket/src'].flatMap((room) =>
    readdirSync(`${packages}${room}`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .map((path) => `${room}/${path}`)
      .filter((path) => /Date\.now|new Date\(\)/.test(readFileSync(`${packages}${path}`, 'utf8'))),
  )
  expect(asking.toSorted()).toEqual(TELLS_TIME_OF_DAY)
})
