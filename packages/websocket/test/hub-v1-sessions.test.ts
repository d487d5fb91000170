import { once } from 'node:events'
import { expect, test } from 'vitest'
import { until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { dial, greet, pub, pubs, sub, type WireClient } from './wire-client.ts'

/** Breaks the link without a goodbye and waits until the hub knows. */
async function cut(client: WireClient, hub: Awaited<ReturnType<typeof startHub>>): Promise<void> {
  const { connections } = hub.stats()
  client.ws.terminate()
  await until(() => hub.stats().connections === connections - 1, 'the hub sees the cut')
}

test('a publisher goes on with its session: what is settled is confirmed, numbers continue', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const first = await greet(hub)
  const { sid, epoch } = first.welcome
  first.say(...pubs(1, 3))
  await first.line('ok 3')
  await cut(first, hub)
  const second = await greet(hub, { sid, epoch })
  expect(second.welcome).toMatchObject({ sid, resumed: true, last: 3 })
  second.say(...pubs(2, 5))
  await second.line('ok 5')
  await reader.events(5)
  expect(reader.payloads).toEqual([1, 2, 3, 4, 5])
})

test('a refusal whose answer was lost with the link is sent again', async () => {
  const hub = await startHub()
  const first = await greet(hub)
  const { sid, epoch } = first.welcome
  first.say(pub(1, 1), pub(2, 2, 'a..b'), pub(3, 3))
  await first.line('ok 3')
  await cut(first, hub)
  const second = await greet(hub, { sid, epoch })
  expect(second.welcome).toMatchObject({ last: 3, refused: [[2, 'type']] })
})

test('a subscriber goes on behind its cursor: nothing is missing and nothing comes twice', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  const first = await greet(hub, { subs: [sub(1, '>')] })
  const { sid, epoch } = first.welcome
  publisher.say(...pubs(1, 10))
  await first.events(10)
  first.say('ack 4')
  await first.settled()
  await cut(first, hub)
  publisher.say(...pubs(11, 15))
  await publisher.line('ok 15')
  // The client has settled more than its last acknowledgement said.
  const second = await greet(hub, { sid, epoch, offset: 6, subs: [sub(1, '>')] })
  expect(second.welcome).toMatchObject({ resumed: true, subs: [{ id: 1, offset: 6 }], gaps: [] })
  await second.events(9)
  expect(second.payloads).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15])
})

test('without an offset a session goes on behind its last acknowledgement', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  const first = await greet(hub, { subs: [sub(1, '>')] })
  const { sid, epoch } = first.welcome
  publisher.say(...pubs(1, 5))
  await first.events(5)
  first.say('ack 3')
  await first.settled()
  await cut(first, hub)
  const second = await greet(hub, { sid, epoch, subs: [sub(1, '>')] })
  await second.events(2)
  expect(second.payloads).toEqual([4, 5])
})

test('subscriptions that were made or ended while away count from the return on', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  const first = await greet(hub, { subs: [sub(1, 'a'), sub(2, 'b')] })
  const { sid, epoch } = first.welcome
  await cut(first, hub)
  publisher.say(pub(1, 1, 'a'), pub(2, 2, 'b'), pub(3, 3, 'c'))
  await publisher.line('ok 3')
  const second = await greet(hub, { sid, epoch, offset: 0, subs: [sub(1, 'a'), sub(3, 'c')] })
  expect(second.welcome.subs).toEqual([
    { id: 1, offset: 0 },
    { id: 3, offset: 3 },
  ])
  publisher.say(pub(4, 4, 'b'), pub(5, 5, 'c'))
  await publisher.line('ok 5')
  await second.events(2)
  await second.settled()
  expect(second.payloads).toEqual([1, 5])
})

test('a newer connection of a session fences the older one with 4410 [F44, F88]', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  const first = await greet(hub, { subs: [sub(1, '>')] })
  const { sid, epoch } = first.welcome
  const second = await greet(hub, { sid, epoch, offset: 0, subs: [sub(1, '>')] })
  await expect(first.closed).resolves.toEqual({ code: 4410, reason: 'replaced' })
  publisher.say(pub(1, 1))
  await second.events(1)
  expect(first.offsets).toEqual([])
  expect(second.welcome.resumed).toBe(true)
  expect(hub.stats().busV1).toMatchObject({ fenced: 1, resumed: 1, sessions: 2 })
})

test('a hello that was long under way does not fence the link that its client has made since [F88]', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  const first = await greet(hub, { link: 1, subs: [sub(1, '>')] })
  const { sid, epoch } = first.welcome
  const third = await greet(hub, { link: 3, sid, epoch, offset: 0, subs: [sub(1, '>')] })
  await expect(first.closed).resolves.toEqual({ code: 4410, reason: 'replaced' })
  const second = await dial(hub)
  second.say(`hello ${JSON.stringify({ v: 1, link: 2, sid, epoch, offset: 0, subs: [] })}`)
  await expect(second.closed).resolves.toEqual({ code: 4410, reason: 'replaced' })
  publisher.say(pub(1, 1))
  await third.events(1)
  expect(third.payloads).toEqual([1])
  expect(hub.stats().busV1).toMatchObject({ fenced: 2, resumed: 1, sessions: 2 })
})

test('the fenced connection takes nothing of the session with it when it closes [F88]', async () => {
  const hub = await startHub()
  const first = await greet(hub, { subs: [sub(1, '>')] })
  first.ws.pause()
  const { sid, epoch } = first.welcome
  const second = await greet(hub, { sid, epoch, offset: 0, subs: [sub(1, '>')] })
  await cut(first, hub)
  second.say(pub(1, 1))
  await second.events(1)
  expect(second.payloads).toEqual([1])
})

test('a session is forgotten when its client is away for longer than sessionTtlMs', async () => {
  const hub = await startHub({ sessionTtlMs: 20 })
  const first = await greet(hub, { subs: [sub(1, '>')] })
  const { sid, epoch } = first.welcome
  first.say(pub(1, 1))
  await first.line('ok 1')
  await cut(first, hub)
  await until(() => hub.stats().busV1.sessions === 0, 'the session is forgotten')
  const second = await greet(hub, { sid, epoch, offset: 0, subs: [sub(1, '>')] })
  expect(second.welcome).toMatchObject({ resumed: false, last: 0 })
  expect(second.welcome.sid).not.toBe(sid)
  // The log still has what it missed.
  await second.events(1)
  expect(second.welcome.gaps).toEqual([])
})

test('the session id of another principal gives a new session [F149]', async () => {
  const hub = await startHub({
    authenticate: ({ token }) => (token === undefined ? null : { id: token }),
  })
  const victim = await greet(hub, { token: 'alice', subs: [sub(1, '>')] })
  const { sid, epoch } = victim.welcome
  const thief = await greet(hub, { token: 'mallory', sid, epoch, offset: 0 })
  expect(thief.welcome.resumed).toBe(false)
  expect(thief.welcome.sid).not.toBe(sid)
  thief.say(pub(1, 1))
  await victim.events(1)
})

test('a hub that started anew says that its log is another one, and gives all of it [F84]', async () => {
  const old = await startHub()
  const before = await greet(old, { subs: [sub(1, '>')] })
  const { sid, epoch } = before.welcome
  before.say(...pubs(1, 7))
  await before.events(7)
  await old.close()
  const hub = await startHub()
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 2))
  await publisher.line('ok 2')
  const after = await greet(hub, { sid, epoch, offset: 5, subs: [sub(1, '>')] })
  expect(after.welcome).toMatchObject({
    resumed: false,
    last: 0,
    gaps: [{ from: 6, to: 6, why: 'epoch' }],
    subs: [{ id: 1, offset: 0 }],
  })
  await after.events(2)
})

test('a cursor beyond the head belongs to another log [F99]', async () => {
  const hub = await startHub()
  const first = await greet(hub, { subs: [sub(1, '>')] })
  const { sid, epoch } = first.welcome
  await cut(first, hub)
  const second = await greet(hub, { sid, epoch, offset: 9, subs: [sub(1, '>')] })
  expect(second.welcome).toMatchObject({
    resumed: false,
    gaps: [{ from: 10, to: 10, why: 'epoch' }],
  })
})

test('the largest cursor that there is names a gap that a client can read [F73]', async () => {
  const hub = await startHub()
  const offset = Number.MAX_SAFE_INTEGER
  const client = await greet(hub, { offset, subs: [sub(1, '>')] })
  expect(client.welcome).toMatchObject({ gaps: [{ from: offset, to: offset, why: 'epoch' }] })
})

test('a session that is gone makes room for a new one, a connected one does not', async () => {
  const hub = await startHub({ limits: { sessions: 2 } })
  const first = await greet(hub, { subs: [sub(1, '>')] })
  const second = await greet(hub, { subs: [sub(1, '>')] })
  await cut(first, hub)
  const third = await greet(hub, { subs: [sub(1, '>')] })
  const { sid, epoch } = first.welcome
  const late = await dial(hub)
  late.say(`hello ${JSON.stringify({ v: 1, sid, epoch, subs: [] })}`)
  await expect(late.closed).resolves.toEqual({ code: 4503, reason: 'sessions' })
  for (const client of [second, third]) expect(client.ws.readyState).toBe(client.ws.OPEN)
})

test('publishes without pause through a hundred resumes: each subscriber sees every event once, in order [F89]', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  const seen: unknown[] = []
  let reader = await greet(hub, { subs: [sub(1, '>')] })
  const { sid, epoch } = reader.welcome
  let n = 0
  for (let round = 0; round < 100; round++) {
    publisher.say(...pubs(n + 1, n + 20))
    n += 20
    await reader.events(1)
    const { payloads, offsets } = reader
    seen.push(...payloads)
    const closed = once(reader.ws, 'close')
    reader.ws.terminate()
    await closed
    reader = await greet(hub, { sid, epoch, offset: offsets.at(-1), subs: [sub(1, '>')] })
    // Even rounds resume while the old link may still be there.
    expect(reader.welcome).toMatchObject({ resumed: true, gaps: [] })
  }
  await reader.events(n - seen.length)
  seen.push(...reader.payloads)
  expect(seen).toEqual(Array.from({ length: n }, (_, i) => i + 1))
})
