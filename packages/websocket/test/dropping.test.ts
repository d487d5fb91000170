/** Queues that give events up: who is told, what is counted, and that what was sent is never among them. */
import { createEvent, type Undeliverable } from '@bus/core'
import { expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { numbered, serve, transportTo, until } from './harness.ts'
import { startLiteralHub } from './literal-hub.ts'

test.each([
  ['drop-oldest', 'dropped', Array.from({ length: 10 }, (_, n) => 90 + n)],
  ['drop-newest', 'dropped', Array.from({ length: 10 }, (_, n) => n)],
  ['reject', 'queue-full', Array.from({ length: 10 }, (_, n) => n)],
] as const)(
  'with %s every event that is given up rejects its own publish, and is counted and told once [F55]',
  async (strategy, code, kept) => {
    const server = await serve()
    server.faults.hangUpgrade({ times: 1 })
    const transport = transportTo(server, {
      queue: { capacity: 10, strategy },
      timeouts: { connectMs: 100 },
    })
    const told: Undeliverable[] = []
    transport.on('undeliverable', (notice) => told.push(notice))
    const outcomes = await Promise.allSettled(
      numbered(100).map((event) => transport.publish(event)),
    )
    const rejected = outcomes.flatMap((outcome, n) =>
      outcome.status === 'rejected' ? [{ n, error: outcome.reason as unknown }] : [],
    )
    expect(rejected.map(({ n }) => n)).toEqual(
      Array.from({ length: 100 }, (_, n) => n).filter(
        (n) => !(kept as readonly number[]).includes(n),
      ),
    )
    for (const { error } of rejected) expect(error).toMatchObject({ code, outcome: 'not-sent' })
    const { dropped, rejected: refused, sent, received } = transport.backpressureStats()
    expect({ gone: dropped + refused, sent }).toEqual({ gone: 90, sent: 10 })
    expect(received).toBe(dropped + refused + sent)
    // A publish that is refused tells its caller, and nobody else.
    const expected = strategy === 'reject' ? 0 : 90
    expect(told.filter(({ reason }) => reason === 'dropped')).toHaveLength(expected)
    await until(() => server.received.length === 10, 'the others arrive')
  },
)

test('drop-oldest takes nothing that was sent, so that the numbers of a session have no hole [F54]', async () => {
  const hub = await startLiteralHub({ answer: () => undefined })
  const transport = transportTo(hub, {
    protocol: busV1(),
    queue: { capacity: 5, strategy: 'drop-oldest' },
  })
  const sent = ['one', 'two', 'three'].map((id) => transport.publish(createEvent('a', id, { id })))
  await hub.hears('pub', 3)
  hub.server.faults.refuse(503)
  hub.server.faults.reset()
  await until(() => transport.status.state !== 'ready', 'the link is gone')
  // Two places are left for those that were not sent yet, and six events come.
  const later = numbered(6).map((event) => transport.publish(event))
  const outcomes = await Promise.all(
    later.slice(0, 4).map((publish) => publish.catch((error: unknown) => error)),
  )
  for (const outcome of outcomes) expect(outcome).toMatchObject({ code: 'dropped' })
  hub.server.faults.clear()
  await hub.hears('rep', 3)
  await until(() => hub.events(1).length === 5, 'all that is left')
  const lines = hub.events(1).map((line) => line.split(' '))
  expect(lines.map(([, n]) => n)).toEqual(['1', '2', '3', '4', '5'])
  expect(lines.slice(0, 3).map(([verb, , id]) => `${verb} ${id}`)).toEqual([
    'rep one',
    'rep two',
    'rep three',
  ])
  hub.say('ok 5')
  const receipts = await Promise.all([...sent, ...later.slice(4)])
  expect(receipts.map(({ status }) => status)).toEqual(Array(5).fill('confirmed'))
})
