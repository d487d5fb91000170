import { expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { collect, transportTo, until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { dial, greet, sub } from './wire-client.ts'

test('what an event is stands once in its line, so the hub and its readers see the same, whatever the body repeats [F74]', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token }) => ({
      id: token ?? '',
      grants: { publish: ['a'], subscribe: ['>'] },
    }),
  })
  const credentials = { authorization: 'Bearer t' }
  const reader = await greet(hub, { subs: [sub(1, '>')] }, credentials)
  const publisher = await greet(hub, {}, credentials)
  const body = '{"type":"b","id":"other","payload":1,"type":"c","metadata":{"timestamp":1}}'
  publisher.say(`pub 1 a id ${body}`, `pub 2 b id ${body}`)
  await publisher.line('ok 2')
  // Permission is asked for the type that the subscribers get, and for no other.
  expect(publisher.heard('no')).toEqual(['2 auth'])
  await reader.events(1)
  expect(reader.heard('ev')).toEqual([`1 a id ${body}`])
})

test('a verb counts once: the rest of the line belongs to it [F74]', async () => {
  const hub = await startHub()
  const client = await greet(hub)
  client.say('pub 1 a id pub 2 b id {"payload":1,"metadata":{"timestamp":1}}')
  await expect(client.closed).resolves.toEqual({ code: 4400, reason: 'pub body' })
})

test('an event of the plain wire with names that come twice is written anew, with each once, for bus.v1 [F74]', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const plain = await join(hub)
  plain.send(
    '{"event_type":"a","id":"x","event_type":"b","id":"y","payload":1,"payload":{"n":1,"n":2},' +
      '"metadata":{"timestamp":1,"timestamp":2}}',
  )
  await reader.events(1)
  expect(reader.heard('ev')).toEqual(['1 b y {"payload":{"n":2},"metadata":{"timestamp":2}}'])
})

test('an event of bus.v1 whose body repeats names is written anew for the plain wire [F74]', async () => {
  const hub = await startHub()
  const reader = transportTo(hub, { protocol: busV1() })
  const sink = await collect(reader, '>')
  const plain = await join(hub)
  const publisher = await greet(hub)
  publisher.say('pub 1 a id {"payload":1,"payload":{"n":1,"n":2},"metadata":{"timestamp":1}}')
  await until(() => plain.frames.length === 1 && sink.events.length === 1, 'both arrive')
  expect(plain.frames).toEqual([
    '{"id":"id","event_type":"a","payload":{"n":2},"metadata":{"timestamp":"1970-01-01T00:00:00.001Z"}}',
  ])
  expect(sink.payloads).toEqual([{ n: 2 }])
})

test('of a name that comes twice in the first line the last one counts, for all that follows from it [F74]', async () => {
  const hub = await startHub()
  const client = await dial(hub)
  client.say(
    'hello {"v":2,"v":1,"subs":[{"id":9,"pattern":"x","mode":"alo"}],"subs":[{"id":1,"pattern":"a","pattern":"b","mode":"alo"}]}',
  )
  await client.line('welcome ')
  expect(client.welcome.subs).toEqual([{ id: 1, offset: 0 }])
  client.say('pub 1 a i {"payload":1,"metadata":{"timestamp":1}}')
  client.say('pub 2 b i {"payload":2,"metadata":{"timestamp":1}}')
  await client.events(1)
  await client.settled()
  expect(client.payloads).toEqual([2])
})
