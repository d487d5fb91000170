import { createEvent } from '@bus/core'
import { expect, test } from 'vitest'
import type { Principal } from '../src/hub/index.ts'
import { busV1 } from '../src/index.ts'
import { collect, transportTo, until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { greet, pub, sub } from './wire-client.ts'

const authenticate = ({ token }: { readonly token: string | undefined }): Principal | null =>
  token === undefined ? null : { id: token }

const forged = (n: number): string =>
  `pub ${n} order.paid id-${n} {"payload":{"total":12.50},"metadata":{"timestamp":1,"source":"bank"}}`

test('source principal: an event has the id of its principal as its source, whatever it claims [F150]', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate, source: 'principal' })
  const reader = await greet(hub, { token: 'reader', subs: [sub(1, '>')] })
  const mallory = await greet(hub, { token: 'mallory' })
  mallory.say(forged(1), pub(2, 'x'))
  await mallory.line('ok 2')
  await reader.events(2)
  expect(reader.lines.slice(-2)).toEqual([
    'ev 1 order.paid id-1 {"payload":{"total":12.50},"metadata":{"timestamp":1,"source":"mallory"}}',
    'ev 2 order.created id-2 {"payload":"x","metadata":{"timestamp":1,"source":"mallory"}}',
  ])
})

test('source principal: one that takes the id of an event of another principal cannot have that dropped [F150]', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate, source: 'principal' })
  const reader = transportTo(hub, { protocol: busV1({ token: 'reader' }) })
  const events = await collect(reader, '>')
  const [mallory, bank] = [
    await greet(hub, { token: 'mallory' }),
    await greet(hub, { token: 'bank' }),
  ]
  // Sent again after a lost session, which is when readers look for what they know.
  mallory.say(forged(1).replace('pub', 'rep'))
  await until(() => events.events.length === 1, 'the forged one')
  bank.say(forged(1).replace('pub', 'rep'))
  await until(() => events.events.length === 2, 'the real one')
  expect(events.events.map(({ id, metadata }) => [id, metadata.source])).toEqual([
    ['id-1', 'mallory'],
    ['id-1', 'bank'],
  ])
})

test('source principal: what is no body of an event is refused, and the link stays', async () => {
  const hub = await startHub({ source: 'principal' })
  const client = await greet(hub, { subs: [sub(1, '>')] })
  client.say(pub(1, 1), 'pub 2 a id-2 {"payload":1}', 'pub 3 a id-3 {no json}', pub(4, 4))
  await client.line('ok 4')
  expect(client.heard('no')).toEqual(['2 poison', '3 poison'])
  await client.events(2)
  expect(client.payloads).toEqual([1, 4])
})

test('source principal: refuses the plain wire, which passes on what it gets', async () => {
  const hub = await startHub({ source: 'principal' })
  await expect(join(hub)).rejects.toThrow('403')
})

test('source publisher: without the option it is the publisher’s own claim, as documented [F150]', async () => {
  const hub = await startHub()
  const events = await collect(transportTo(hub, { protocol: busV1() }), '>')
  await transportTo(hub, { protocol: busV1() }).publish(createEvent('a', 1, { source: 'shop' }))
  await until(() => events.events.length === 1, 'the event')
  expect(events.events[0]?.metadata.source).toBe('shop')
})
