import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createEvent } from '@bus/core'
import { expect, test, vi } from 'vitest'
import type { OpossumBreaker } from '../src/client/reconnect/breaker.ts'
import { serve, transportTo, until } from './harness.ts'

test('an attempt without an answer ends at its deadline, so the breaker is not half-open for ever [F115]', async () => {
  const server = await serve()
  server.faults.hangUpgrade({ times: 3 })
  const transport = transportTo(server, {
    timeouts: { connectMs: 200 },
    breaker: { failureThreshold: 1, openMs: 20, successThreshold: 1 },
    reconnect: { stableAfterMs: 1 },
  })
  const states: string[] = []
  transport.on('breaker', ({ state }) => states.push(state))
  // Two probes hang as well; the third gets through.
  await transport.connect({ retry: true })
  await until(() => transport.breaker?.state === 'closed', 'the breaker closes')
  expect(server.upgradeAttempts).toBeGreaterThanOrEqual(4)
  expect(states.slice(0, 6)).toEqual([
    'open',
    'half-open',
    'open',
    'half-open',
    'open',
    'half-open',
  ])
  expect(states.at(-1)).toBe('closed')
})

test('publishes that wait while one probe is under way are not failed by it: they are sent with the next link [F116]', async () => {
  const server = await serve()
  server.faults.refuse(503, { times: 1 })
  server.faults.hangUpgrade({ times: 1 })
  const transport = transportTo(server, {
    timeouts: { connectMs: 300 },
    breaker: { failureThreshold: 1, openMs: 20, successThreshold: 1 },
  })
  transport.connect().catch(() => {})
  await until(() => server.upgradeAttempts === 2, 'the probe')
  expect(transport.breaker?.state).toBe('half-open')
  const publishes = Array.from({ length: 10 }, (_, n) => transport.publish(createEvent('a', n)))
  // Nor does asking for a link make a second attempt beside it.
  const asked = [transport.connect({ retry: true }), transport.connect({ retry: true })]
  expect(server.upgradeAttempts).toBe(2)
  await Promise.all([...asked, ...publishes])
  await until(() => server.received.length === 10, 'all arrive')
})

test('there is never more than one attempt at a time, however they begin and fail [F117]', async () => {
  const server = await serve()
  server.faults.delay(10)
  server.faults.refuse(503, { times: 6 })
  const transport = transportTo(server, { breaker: { failureThreshold: 100 } })
  const run = vi.spyOn(transport.breaker as OpossumBreaker, 'run')
  let [underWay, most] = [0, 0]
  run.mockImplementation(async (dial) => {
    most = Math.max(most, ++underWay)
    return await dial().finally(() => underWay--)
  })
  const asked = Array.from({ length: 20 }, (_, n) =>
    n % 2 === 0 ? transport.connect({ retry: true }) : transport.publish(createEvent('a', n)),
  )
  while (transport.status.state !== 'ready') {
    transport.reconnect().catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await Promise.all(asked)
  expect(run.mock.calls.length).toBeGreaterThan(5)
  expect(most).toBe(1)
})

test('attempts to connect go through the breaker, events do not: a burst costs it nothing [F119, F124]', async () => {
  const server = await serve()
  const transport = transportTo(server)
  const run = vi.spyOn(transport.breaker as OpossumBreaker, 'run')
  await Promise.all(Array.from({ length: 2_000 }, (_, n) => transport.publish(createEvent('a', n))))
  await expect(transport.publish(createEvent('a', 1n))).rejects.toMatchObject({
    code: 'serialization',
  })
  expect(run).toHaveBeenCalledTimes(1)
  expect(transport.breaker?.stats()).toMatchObject({ total: 1, failures: 0 })
})

test('an outage fails no publish that may wait, with an open breaker or without, and each at once that may not [F124]', async () => {
  const server = await serve()
  server.faults.refuse(503)
  const outage = {
    breaker: { failureThreshold: 2, successThreshold: 1 },
    reconnect: { backoff: (failures: number) => (failures < 2 ? 5 : 60_000) },
  } as const
  const waits = transportTo(server, outage)
  const rejects = transportTo(server, { ...outage, whenDisconnected: 'reject' })
  for (const transport of [waits, rejects]) transport.connect().catch(() => {})
  const publishes = Array.from({ length: 20 }, (_, n) => waits.publish(createEvent('a', n)))
  let settled = 0
  for (const publish of publishes) void publish.finally(() => settled++)
  await until(
    () => [waits, rejects].every((transport) => transport.breaker?.state === 'open'),
    'both breakers open',
  )
  await expect(rejects.publish(createEvent('a', 1))).rejects.toMatchObject({
    code: 'circuit-open',
    outcome: 'not-sent',
  })
  expect(settled).toBe(0)
  server.faults.clear()
  await waits.reconnect()
  const receipts = await Promise.all(publishes)
  expect(receipts.every(({ status }) => status === 'sent')).toBe(true)
})

test('thirty transports with open breakers cause no warning of too many listeners [F123]', async () => {
  const warnings: Error[] = []
  const warn = (warning: Error): void => void warnings.push(warning)
  process.on('warning', warn)
  const transports = Array.from({ length: 30 }, () =>
    transportTo({ url: 'ws://127.0.0.1:1' }, { breaker: { failureThreshold: 1 } }),
  )
  await Promise.all(transports.map((transport) => transport.connect().catch(() => {})))
  await until(
    () => transports.every(({ breaker }) => breaker?.state === 'open'),
    'all breakers open',
  )
  await Promise.all(transports.map((transport) => transport.close()))
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', warn)
  expect(warnings).toEqual([])
})

test('a process with an open breaker ends by itself when its transport is closed, however long the breaker would wait [F114]', async () => {
  const script = `
    import { webSocketTransport } from '@bus/websocket'
    const transport = webSocketTransport({ url: 'ws://127.0.0.1:1', breaker: { failureThreshold: 1, openMs: 600_000 } })
    await transport.connect().catch(() => {})
    const isOpen = transport.breaker.state
    await transport.close()
    process.stdout.write(isOpen)`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script],
    { cwd: new URL('..', import.meta.url), timeout: 50_000 },
  )
  expect(stdout).toBe('open')
})
