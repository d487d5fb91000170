import { createEvent } from '@bus/core'
import { startChaosProxy } from '@bus/testing/chaos'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { only, record, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { startLiteralHub } from './literal-hub.ts'
import { greet, sub } from './wire-client.ts'

test('when every acknowledgement is lost with its link, each event is relayed once and confirmed once all the same [F79]', async () => {
  const hub = await startHub()
  const proxy = await startChaosProxy({ targetPort: hub.port, seed: 79 })
  onTestFinished(() => proxy.close())
  const transport = transportTo(
    { url: `ws://127.0.0.1:${proxy.port}` },
    { protocol: busV1(), breaker: false, reconnect: { backoff: () => 1, maxAttempts: Infinity } },
  )
  await transport.connect()
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  let settled = 0
  for (let n = 1; n <= 20; n++) {
    // The hub hears it and answers; the answer never arrives.
    proxy.hole(60_000, 'downstream')
    const publish = transport.publish(createEvent('order.created', n))
    void publish.then(() => settled++)
    await until(() => hub.stats().busV1.published === n, 'the hub has it')
    expect(settled).toBe(n - 1)
    proxy.reset()
    await expect(publish).resolves.toMatchObject({ status: 'confirmed' })
  }
  await reader.events(20)
  expect(reader.payloads).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  expect(hub.stats().busV1).toMatchObject({ published: 20, resumed: 20 })
})

describe('a client', () => {
  test('takes no notice of acknowledgements that come twice or are old [F80]', async () => {
    const hub = await startLiteralHub({ answer: () => undefined })
    const transport = transportTo(hub, { protocol: busV1() })
    const notices = record(transport)
    const publishes = [1, 2, 3].map((n) => transport.publish(createEvent('a', n)))
    let settled = 0
    for (const publish of publishes) void publish.then(() => settled++)
    await hub.hears('pub', 3)
    hub.say('ok 1', 'ok 1', 'ok 0', 'no 1 size')
    await publishes[0]
    hub.say('ok 2', 'ok 1', 'ok 2')
    await publishes[1]
    expect(settled).toBe(2)
    hub.say('ok 3')
    await expect(publishes[2]).resolves.toMatchObject({ status: 'confirmed', attempts: 1 })
    expect(only(notices, 'error')).toEqual([])
    expect(hub.hellos).toHaveLength(1)
  })

  test('believes no acknowledgement of what it never sent: another link, and the event is sent again [F80]', async () => {
    const hub = await startLiteralHub({
      answer: (line, index) =>
        index === 0 && line.startsWith('pub') ? 'ok 9' : line.replace(/^pub (\d+).*/, 'ok $1'),
      welcome: ({ sid }) => ({ resumed: sid !== undefined }),
    })
    const transport = transportTo(hub, { protocol: busV1() })
    const notices = record(transport)
    await expect(transport.publish(createEvent('a', 1))).resolves.toMatchObject({ attempts: 2 })
    expect(await hub.server.connections[0]?.waitForClose()).toMatchObject({ code: 1002 })
    expect(only(notices, 'undeliverable')).toMatchObject([{ reason: 'undecodable', raw: 'ok 9' }])
  })

  test('does not believe a welcome either that has more than was sent [F80]', async () => {
    const hub = await startLiteralHub({
      answer: (line, index) => (index === 0 ? undefined : line.replace(/^pub (\d+).*/, 'ok $1')),
      welcome: ({ sid }) => ({ resumed: sid !== undefined, last: sid === undefined ? 0 : 7 }),
    })
    const transport = transportTo(hub, { protocol: busV1() })
    const first = transport.publish(createEvent('a', 1))
    await hub.hears('pub')
    hub.server.faults.reset()
    await first
    // Numbers go on behind what was sent, not behind what the hub made up.
    await transport.publish(createEvent('a', 2))
    expect(hub.events(1).map((event) => event.split(' ')[1])).toEqual(['2'])
  })
})
