import { isPattern, matches } from '@bus/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Principal } from '../src/hub/index.ts'
import { join, startHub } from './hub-clients.ts'
import { until } from './harness.ts'
import { dial, greet, pub, sub } from './wire-client.ts'

const token = fc.constantFrom('a', 'b', '*', '>')
const pattern = fc
  .array(token, { minLength: 1, maxLength: 3 })
  .map((tokens) => tokens.join('.'))
  .filter(isPattern)
const patterns = fc.array(pattern, { minLength: 1, maxLength: 4 })

const TYPES = ['a', 'b', 'z', 'a.a', 'a.b', 'b.a', 'b.z', 'z.a', 'a.a.a', 'a.b.z', 'b.b.b', 'z.z.z']

test('nothing is delivered outside of the grants: subscribed to with hello, with sub or on resuming [F147]', async () => {
  let grants: Principal['grants'] = {}
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token: id }) =>
      id === 'publisher' ? { id } : { id: 'reader', ...(grants && { grants }) },
  })
  const publisher = await greet(hub, { token: 'publisher' })
  let n = 0
  await fc.assert(
    fc.asyncProperty(patterns, patterns, patterns, patterns, async (first, later, hello, more) => {
      grants = { subscribe: first }
      const subs = hello.map((p, i) => sub(i + 1, p))
      let reader = await greet(hub, { token: 'r', subs })
      reader.say(...more.map((p, i) => `sub ${100 + i} ${p} alo`))
      const check = async (allowed: readonly string[]): Promise<void> => {
        await reader.settled()
        const before = reader.lines.length
        publisher.say(...TYPES.map((type) => pub(++n, n, type)))
        await publisher.line(`ok ${n}`)
        await reader.settled()
        const types = reader.lines.slice(before).filter((line) => line.startsWith('ev '))
        const heard = types.map((line) => line.split(' ')[2] ?? '')
        const wanted = [...hello, ...more].filter((asked) => isCovered(asked, allowed))
        expect(heard).toEqual(TYPES.filter((type) => wanted.some((asked) => matches(asked, type))))
      }
      await check(first)
      // The grants change while it is away; what it had is judged again.
      const { sid, epoch } = reader.welcome
      reader.ws.terminate()
      grants = { subscribe: later }
      const all = [...hello, ...more].map((p, i) => sub(i + 1, p))
      const { head } = reader.welcome
      reader = await greet(hub, { token: 'r', sid, epoch, offset: head + TYPES.length, subs: all })
      await check(later)
      reader.ws.terminate()
    }),
    { numRuns: 60 },
  )
})

/**
 * Every type of up to four tokens. `z` stands for any token that no pattern names, and four tokens are one more than
 * the longest pattern has, so what a pattern with `>` matches beyond a grant without it is among them.
 */
const ALL_TYPES = [1, 2, 3, 4].flatMap((depth) => typesOf(depth))

function typesOf(depth: number): string[] {
  if (depth === 0) return ['']
  return typesOf(depth - 1).flatMap((head) =>
    ['a', 'b', 'z'].map((t) => (head ? `${head}.${t}` : t)),
  )
}

/** Whether every type that the pattern matches is matched by one of the grants alone. */
function isCovered(asked: string, grants: readonly string[]): boolean {
  const wanted = ALL_TYPES.filter((type) => matches(asked, type))
  return grants.some((grant) => wanted.every((type) => matches(grant, type)))
}

test('nothing is published outside of the grants, and one with fewer grants finds nothing in between [F147]', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token: id = '' }) => ({
      id,
      ...(id === 'shop' ? { grants: { publish: ['order.*'], subscribe: [] } } : {}),
    }),
  })
  const reader = await greet(hub, { token: 'reader', subs: [sub(1, '>')] })
  const shop = await greet(hub, { token: 'shop', subs: [sub(1, '>'), sub(2, 'order.*')] })
  expect(shop.welcome.subs.map(({ code }) => code)).toEqual(['auth', 'auth'])
  const types = ['order', 'order.a', 'order.a.b', 'orders.a', 'ORDER.a', 'a.order', 'order.a-b']
  shop.say(...types.map((type, i) => pub(i + 1, type, type)), pub('-', 'x', 'secret.y'))
  await shop.line(`ok ${types.length}`)
  await reader.events(2)
  await reader.settled()
  expect(reader.payloads).toEqual(['order.a', 'order.a-b'])
})

test('after it was revoked nothing is delivered to a principal that comes back without permission [F146]', async () => {
  const revoked = new Set<string>()
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token: id = '' }) => (revoked.has(id) ? null : { id }),
  })
  const publisher = await greet(hub, { token: 'publisher' })
  const eve = await greet(hub, { token: 'eve', subs: [sub(1, '>')] })
  const plain = await join(hub, { headers: { authorization: 'Bearer eve' } })
  const { sid, epoch } = eve.welcome
  revoked.add('eve')
  hub.revoke('eve')
  await Promise.all([eve.closed, plain.closed])
  publisher.say(pub(1, 'secret'))
  await publisher.line('ok 1')
  const back = await dial(hub)
  back.say(`hello ${JSON.stringify({ v: 1, token: 'eve', sid, epoch, offset: 0, subs: [] })}`)
  await expect(back.closed).resolves.toMatchObject({ code: 4401 })
  await expect(join(hub, { headers: { authorization: 'Bearer eve' } })).rejects.toThrow('401')
  await until(() => hub.stats().connections === 1, 'no other connection')
  expect([...eve.payloads, ...plain.frames, ...back.lines]).toEqual([])
})

test('a principal that was revoked and is let in again begins anew [F146]', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token: id = '' }) => ({ id }),
  })
  const publisher = await greet(hub, { token: 'publisher' })
  const eve = await greet(hub, { token: 'eve', subs: [sub(1, '>')] })
  const { sid, epoch } = eve.welcome
  hub.revoke('eve')
  await eve.closed
  publisher.say(pub(1, 'meanwhile'))
  await publisher.line('ok 1')
  const back = await greet(hub, { token: 'eve', sid, epoch, subs: [sub(1, '>')] })
  await back.settled()
  expect(back.welcome).toMatchObject({ resumed: false, head: 1 })
  expect(back.payloads).toEqual([])
})

test('the names of sessions are 128 bits each and have nothing in common [F149]', async () => {
  const hub = await startHub()
  const clients = await Promise.all(Array.from({ length: 100 }, () => greet(hub)))
  const names = clients.map(({ welcome }) => Buffer.from(welcome.sid, 'base64url'))
  expect(names.every((name) => name.length === 16)).toBe(true)
  // Each bit is set in some and not in others: a counter or a clock would leave bits that never change.
  for (let bit = 0; bit < 128; bit++) {
    const set = names.filter((name) => ((name[bit >> 3] ?? 0) >> (bit & 7)) & 1).length
    expect(set).toBeGreaterThan(0)
    expect(set).toBeLessThan(100)
  }
})
