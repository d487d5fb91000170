import { expect, test } from 'vitest'
import { until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { dial, greet, pub, pubs, sub } from './wire-client.ts'

test('welcomes a client with its session, the log and the limits before anything else', async () => {
  const hub = await startHub({ heartbeatMs: 7_000 })
  const client = await greet(hub, { subs: [sub(1, 'order.*')] })
  expect(client.welcome).toEqual({
    sid: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    resumed: false,
    last: 0,
    refused: [],
    epoch: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    head: 0,
    limits: {
      maxEventBytes: 262_144,
      maxLineBytes: 1_048_576,
      window: { events: 16_384, bytes: 8_388_608 },
      ackMs: 10,
      okMs: 2_000,
    },
    heartbeatMs: 7_000,
    subs: [{ id: 1, offset: 0 }],
    gaps: [],
  })
})

test('gives every subscriber the same bytes, in the order of the log, and acknowledges cumulatively', async () => {
  const hub = await startHub()
  const [a, b] = await Promise.all([
    greet(hub, { subs: [sub(1, 'order.*')] }),
    greet(hub, { subs: [sub(9, '>')] }),
  ])
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 500))
  await Promise.all([a.events(500), b.events(500)])
  expect(a.heard('ev')).toEqual(b.heard('ev'))
  expect(a.heard('ev')[41]).toBe('42 order.created id-42 {"payload":42,"metadata":{"timestamp":1}}')
  expect(a.offsets).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
  expect(publisher.heard('ok')).toEqual(['500'])
  // Neighbours in the log travel together.
  expect(a.messages).toBeLessThan(10)
})

test('flags what a publisher resends after it lost its session', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const publisher = await greet(hub)
  publisher.say('rep 1 a x {"payload":1}', 'pub 2 a y {"payload":2}')
  await reader.events(2)
  expect(reader.lines.slice(1)).toEqual(['rv 1 a x {"payload":1}', 'ev 2 a y {"payload":2}'])
})

test('sends an event with overlapping patterns once [F92]', async () => {
  const hub = await startHub()
  const reader = await greet(hub, {
    subs: [sub(1, 'order.*'), sub(2, 'order.created'), sub(3, '>')],
  })
  const publisher = await greet(hub)
  publisher.say(pub(1, 'once'), pub(2, 'twice', 'user.created'))
  await reader.events(2)
  await reader.settled()
  expect(reader.payloads).toEqual(['once', 'twice'])
})

test('sends only what matches, and never relays at-most-once events twice', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, 'order.*', 'amo')] })
  const publisher = await greet(hub)
  publisher.say(pub('-', 1), pub('-', 2, 'user.created'), pub('-', 3, 'order.paid'), pub('-', 4))
  await reader.events(3)
  expect(reader.payloads).toEqual([1, 3, 4])
  expect(reader.offsets).toEqual([1, 3, 4])
  await publisher.settled()
  expect(publisher.lines).toHaveLength(1)
})

test('does not relay a number that came before, and acknowledges it again [F79]', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 3))
  await publisher.line('ok 3')
  publisher.say(...pubs(2, 3))
  await until(() => publisher.heard('ok').length === 2, 'the second acknowledgement')
  publisher.say(pub(4, 4))
  await reader.events(4)
  expect(reader.payloads).toEqual([1, 2, 3, 4])
  expect(publisher.heard('ok')).toEqual(['3', '3', '4'])
  expect(hub.stats().busV1).toMatchObject({ published: 4, duplicates: 2, delivered: 4 })
})

test('ends a link that leaves a hole in its numbers with 4409', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  publisher.say(pub(1, 1), pub(3, 3))
  await expect(publisher.closed).resolves.toEqual({ code: 4409, reason: 'pub hole' })
  expect(hub.stats().busV1).toMatchObject({ published: 1, protocolErrors: 1 })
})

test('ends a link that acknowledges more than it was sent with 4409 [F80]', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, 'order.*')] })
  const publisher = await greet(hub)
  publisher.say(pub(1, 1), pub(2, 2, 'user.created'))
  await reader.events(1)
  reader.say('ack 1', 'ack 1', 'ack 0')
  await reader.settled()
  reader.say('ack 2')
  await expect(reader.closed).resolves.toEqual({ code: 4409, reason: 'ack offset' })
})

test('a subscription made later begins where its answer says, and ends at once', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 3))
  await publisher.line('ok 3')
  const reader = await greet(hub)
  reader.say('sub 7 order.* alo')
  await reader.line('subok 7 3')
  publisher.say(pub(4, 4))
  await reader.events(1)
  reader.say('unsub 7', 'unsub 7')
  await reader.settled()
  publisher.say(pub(5, 5))
  await publisher.line('ok 5')
  reader.say('sub 8 order.created amo')
  await reader.line('subok 8 5')
  publisher.say(pub(6, 6))
  await reader.events(2)
  expect(reader.payloads).toEqual([4, 6])
})

test('a subscription may begin in the past, as far as the log reaches', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 10))
  await publisher.line('ok 10')
  const [early, late] = await Promise.all([
    greet(hub, { subs: [sub(1, '>', 'alo', 4)] }),
    greet(hub),
  ])
  late.say('sub 1 > alo 7')
  await Promise.all([early.events(6), late.events(3)])
  expect(early.welcome.subs).toEqual([{ id: 1, offset: 4 }])
  expect(early.payloads).toEqual([5, 6, 7, 8, 9, 10])
  expect(await late.line('subok')).toBe('subok 1 7')
  expect(late.payloads).toEqual([8, 9, 10])
})

test('a second subscription may begin where the log has passed only what was foreign so far', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, 'quiet.*')] })
  const publisher = await greet(hub)
  publisher.say(pub(1, 1, 'quiet.a'), ...pubs(2, 10))
  await publisher.line('ok 10')
  await reader.events(1)
  reader.say('sub 2 order.* alo 0', 'sub 3 order.* alo 7')
  expect(await reader.line('subok 2')).toBe('subok 2 1')
  await reader.events(10)
  expect(reader.payloads).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

test('a second subscription gets nothing of what lies before it, also while the session lags behind', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, 'slow.*')], window: { events: 1, bytes: 1_000 } })
  const publisher = await greet(hub)
  publisher.say(pub(1, 1, 'slow.a'), pub(2, 2, 'fast.a'), pub(3, 3, 'slow.a'), pub(4, 4, 'fast.a'))
  await publisher.line('ok 4')
  await reader.events(1)
  reader.say('sub 2 fast.* amo')
  expect(await reader.line('subok')).toBe('subok 2 4')
  publisher.say(pub(5, 5, 'fast.a'))
  reader.say('ack 1')
  await reader.events(2)
  reader.say('ack 3')
  await reader.events(3)
  expect(reader.payloads).toEqual([1, 3, 5])
})

test('keeps to the window of a subscriber, also in the replay of the past [F98]', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 1_000))
  await publisher.line('ok 1000')
  const reader = await greet(hub, {
    window: { events: 100, bytes: 1_000_000 },
    subs: [sub(1, '>', 'alo', 0)],
  })
  await reader.events(100)
  await reader.settled()
  expect(reader.offsets).toHaveLength(100)
  reader.say('ack 50')
  await reader.events(150)
  await reader.settled()
  expect(reader.offsets).toHaveLength(150)
  reader.say('ack 150')
  await reader.events(250)
})

test('keeps to the bytes of a window, but lets one event through that is larger', async () => {
  const hub = await startHub()
  const reader = await greet(hub, {
    window: { events: 100, bytes: 200 },
    subs: [sub(1, '>')],
  })
  const publisher = await greet(hub)
  publisher.say(pub(1, 'x'.repeat(1_000)), pub(2, 'y'))
  await publisher.line('ok 2')
  await reader.events(1)
  await reader.settled()
  expect(reader.offsets).toEqual([1])
  reader.say('ack 1')
  await reader.events(2)
})

test('sends a quiet subscriber the position in the log, so that its cursor moves past foreign events [F86]', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, 'quiet.*')] })
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 1_023))
  await publisher.line('ok 1023')
  await reader.settled()
  expect(reader.heard('mark')).toEqual([])
  publisher.say(pub(1_024, 0))
  expect(await reader.line('mark')).toBe('mark 1024')
  reader.say('ack 1024')
  await reader.settled()
  expect(reader.ws.readyState).toBe(reader.ws.OPEN)
})

test('sends the position with the heartbeat where little has passed [F86]', async () => {
  const hub = await startHub({ heartbeatMs: 20 })
  const reader = await greet(hub, { subs: [sub(1, 'quiet.*')] })
  const publisher = await greet(hub)
  publisher.say(pub(1, 0))
  expect(await reader.line('mark')).toBe('mark 1')
})

test('refuses an event by its number and goes on behind it', async () => {
  const hub = await startHub({ limits: { maxEventBytes: 200 } })
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const publisher = await greet(hub)
  publisher.say(pub(1, 1), pub(2, 'x'.repeat(200)), pub(3, 3, 'not..a.type'), pub(4, 4))
  await publisher.line('ok 4')
  expect(publisher.lines.slice(1)).toEqual(['no 2 size', 'no 3 type', 'ok 4'])
  await reader.events(2)
  expect(reader.payloads).toEqual([1, 4])
  publisher.say(pub('-', 'x'.repeat(200)))
  await publisher.settled()
  expect(publisher.lines).toHaveLength(4)
  expect(hub.stats().busV1.refused).toBe(3)
})

test('lets a connection publish so many events in a second and refuses more', async () => {
  const hub = await startHub({ limits: { publishPerSecond: 5 } })
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 8))
  await publisher.line('ok 8')
  expect(publisher.heard('no')).toEqual(['6 rate', '7 rate', '8 rate'])
})

test('takes so many subscriptions of a connection, and none that would match in too many ways', async () => {
  const hub = await startHub({ limits: { subscriptionsPerConnection: 2 } })
  const client = await greet(hub, { subs: [sub(1, 'a'), sub(2, '*.*.*.*.*')] })
  expect(client.welcome.subs).toEqual([
    { id: 1, offset: 0 },
    { id: 2, code: 'pattern' },
  ])
  client.say('sub 3 b alo', 'sub 4 c alo', 'unsub 1', 'sub 5 d alo')
  await client.line('subok 5')
  expect(client.lines.slice(1, 4)).toEqual(['subok 3 0', 'subno 4 limit', 'subok 5 0'])
})

test('a client that asks and never reads the answers is cut off', async () => {
  const hub = await startHub()
  const client = await greet(hub)
  client.ws.pause()
  let n = 0
  await until(() => {
    // Each refusal has an answer of its own.
    client.say(...Array.from({ length: 5_000 }, () => `pub ${++n} a..b i {}`))
    return hub.stats().connections === 0
  }, 'the hub has cut it off')
})

test('events cross over between the plain wire and this one', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const [plain, other] = await Promise.all([join(hub), join(hub)])
  plain.send(
    '{"id":"p","event_type":"a.b","payload":{"n":1},"metadata":{"timestamp":"1970-01-01T00:00:01.000Z"}}',
  )
  plain.send('no event')
  await reader.events(1)
  expect(reader.lines[1]).toBe('ev 1 a.b p {"payload":{"n":1},"metadata":{"timestamp":1000}}')
  await until(() => other.frames.length === 2, 'both frames on the plain wire')
  reader.say('pub 1 c.d {q {"payload":2,"metadata":{"timestamp":2000}}')
  await until(() => plain.frames.length === 1 && other.frames.length === 3, 'the event, there')
  expect(JSON.parse(String(plain.frames[0]))).toEqual({
    id: '{q',
    event_type: 'c.d',
    payload: 2,
    metadata: { timestamp: '1970-01-01T00:00:02.000Z' },
  })
  expect(hub.stats().unbridged).toBe(1)
})

test('says goodbye when it closes, with a hint for when to come back', async () => {
  const hub = await startHub()
  const client = await greet(hub)
  const silent = await dial(hub)
  await hub.drain({ spreadMs: 3_000 })
  expect(client.lines[1]).toBe('bye {"code":1001,"spreadMs":3000}')
  await expect(client.closed).resolves.toEqual({ code: 1001, reason: 'going away' })
  await expect(silent.closed).resolves.toEqual({ code: 1001, reason: 'going away' })
  await expect(dial(hub)).rejects.toThrow(/503|socket hang up|ECONNRE/)
})

test('a client may say goodbye', async () => {
  const hub = await startHub()
  const client = await greet(hub)
  client.say('bye {"code":1000}')
  await expect(client.closed).resolves.toMatchObject({ code: 1000 })
})
