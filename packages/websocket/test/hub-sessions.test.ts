/** What an operator sees of those who are there. */
import { expect, test } from 'vitest'
import { until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { greet, pubs, sub } from './wire-client.ts'

test('sessions are listed with their principal, address, age, subscriptions and how far behind they are, on both wires', async () => {
  const before = Date.now()
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token }) => (token === undefined ? null : { id: token }),
  })
  const reader = await greet(hub, { token: 'reader', subs: [sub(1, 'a'), sub(2, 'b')] })
  const publisher = await greet(hub, { token: 'publisher' })
  await join(hub, { headers: { authorization: 'Bearer plain' } })
  publisher.say(...pubs(1, 5, 'a'))
  await reader.events(5)
  reader.say('ack 2')
  await until(() => hub.sessions()[0]?.unacknowledged === 3, 'the acknowledgement')
  const idle = { subscriptions: 0, unacknowledged: 0, behind: 0 }
  const common = { isConnected: true, isGivenUp: false, since: expect.any(Number) as number }
  expect(hub.sessions()).toEqual([
    {
      ...common,
      principal: 'reader',
      wire: 'bus.v1',
      address: '127.0.0.1',
      subscriptions: 2,
      unacknowledged: 3,
      behind: 3,
    },
    { ...common, ...idle, principal: 'publisher', wire: 'bus.v1', address: '127.0.0.1' },
    { ...common, ...idle, principal: 'plain', wire: 'plain', address: '127.0.0.1' },
  ])
  for (const { since } of hub.sessions()) {
    expect(since).toBeGreaterThanOrEqual(before - 1)
    expect(since).toBeLessThanOrEqual(Date.now() + 1)
  }
  reader.ws.terminate()
  await until(() => hub.sessions()[0]?.isConnected === false, 'the break')
  expect(hub.sessions()[0]).toMatchObject({ address: undefined, subscriptions: 2, behind: 3 })
  // Who is seen can be revoked.
  expect(hub.revoke(String(hub.sessions()[0]?.principal))).toBe(1)
  expect(hub.sessions().map((session) => session.principal)).toEqual(['publisher', 'plain'])
})
