import { createBus } from '@bus/core'
import { startChaosProxy } from '@bus/testing/chaos'
import { expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, pubs } from './wire-client.ts'

test('a client that comes back while the hub still holds its old socket takes its session over, and gets each event once [F88]', async () => {
  const hub = await startHub()
  const proxy = await startChaosProxy({ targetPort: hub.port, seed: 88 })
  onTestFinished(() => proxy.close())
  const url = `ws://127.0.0.1:${proxy.port}`
  // Half open: nothing passes, and nobody is told. The client notices, the hub does not.
  const transport = transportTo(
    { url },
    { protocol: busV1(), heartbeat: { intervalMs: 60_000 }, timeouts: { closeMs: 50 } },
  )
  const bus = createBus({ transport })
  onTestFinished(() => bus.close())
  const seen: unknown[] = []
  await bus.subscribe('order.*', ({ payload }) => void seen.push(payload))
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 10))
  await until(() => seen.length === 10, 'the first ones')
  proxy.links[0]?.blackhole()
  publisher.say(...pubs(11, 20))
  await publisher.line('ok 20')
  expect(hub.stats().connections).toBe(2)
  await transport.reconnect()
  publisher.say(...pubs(21, 30))
  await until(() => seen.length >= 30, 'all events')
  expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  expect(hub.stats().busV1).toMatchObject({ fenced: 1, resumed: 1, gaps: 0 })
  await until(() => hub.stats().connections === 2, 'the old socket is gone')
})
