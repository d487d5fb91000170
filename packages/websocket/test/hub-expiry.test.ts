import { expect, test } from 'vitest'
import { busV1, type Token } from '../src/index.ts'
import { transportTo, until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { greet } from './wire-client.ts'

/** Ends so many milliseconds from now, the half minute included that clocks may differ. */
const endsIn = (ms: number): number => Date.now() - 30_000 + ms

test('credentials also expire on the plain wire, where they cannot be renewed, and every other connection stays [F144]', async () => {
  const hub = await startHub({
    holdMs: 40,
    authenticate: ({ token }) =>
      token === undefined
        ? null
        : { id: token, expiresAt: token === 'short' ? endsIn(60) : Infinity },
  })
  const [short, long, anonymous] = await Promise.all([
    join(hub, { headers: { authorization: 'Bearer short' } }),
    join(hub, { headers: { authorization: 'Bearer long' } }),
    join(hub),
  ])
  await expect(short.closed).resolves.toEqual({ code: 4401, reason: 'expired' })
  long.send('still here')
  await until(() => anonymous.frames.length === 1, 'the others go on')
})

test('credentials that do not end in time are not ended early [F144]', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    holdMs: 40,
    authenticate: ({ token = '' }) => ({
      id: token,
      expiresAt: endsIn(token === 'a' ? 50 : 60_000),
    }),
  })
  const [ended, lasting] = [await greet(hub, { token: 'a' }), await greet(hub, { token: 'b' })]
  await expect(ended.closed).resolves.toEqual({ code: 4401, reason: 'expired' })
  await lasting.settled()
  expect(lasting.ws.readyState).toBe(lasting.ws.OPEN)
})

test('a client whose token expired without being renewed gets another one on a new link [F144, F145]', async () => {
  let n = 0
  const hub = await startHub({
    allowAnonymous: false,
    holdMs: 40,
    authenticate: ({ token }) => ({
      id: 'alice',
      expiresAt: token === 'token 1' ? endsIn(60) : Infinity,
    }),
  })
  // It names no end, so that the client cannot know.
  const token = (): Token => `token ${++n}`
  const transport = transportTo(hub, { protocol: busV1({ token }) })
  await transport.connect()
  await until(() => transport.stats().reconnects === 1, 'the next link')
  expect(n).toBe(2)
})
