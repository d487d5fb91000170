import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Hub, Principal } from '../src/hub/index.ts'
import { until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { dial, greet, sub } from './wire-client.ts'

const byToken = ({ token }: { readonly token: string | undefined }): Principal | null =>
  token === undefined ? null : { id: token }

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

/** The status of a handshake; 101 when it succeeded, and then it stays open. */
async function statusOf(hub: Hub, token: string): Promise<number> {
  const ws = new WebSocket(hub.url, 'bus.v1', { headers: bearer(token) })
  ws.on('error', () => {})
  const [status] = await Promise.race([
    once(ws, 'unexpected-response').then(([, response]) => [
      (response as { statusCode: number }).statusCode,
    ]),
    once(ws, 'open').then(() => [101]),
  ])
  return status ?? 0
}

test('a flood of dials gets as many connections as are allowed, and those that are connected do not notice [F152]', async () => {
  const hub = await startHub({ limits: { connections: 50, connectionsPerIp: Infinity } })
  const first = await greet(hub)
  const dials = await Promise.allSettled(Array.from({ length: 300 }, () => join(hub)))
  expect(dials.filter(({ status }) => status === 'fulfilled')).toHaveLength(49)
  const reasons = dials.flatMap((d) => (d.status === 'rejected' ? [String(d.reason)] : []))
  expect(new Set(reasons)).toEqual(new Set(['Error: Unexpected server response: 503']))
  await first.settled()
  expect(hub.stats().connections).toBe(50)
})

test('a principal has as many connections as it may, over both wires, and another one its own [F152]', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: byToken,
    limits: { connectionsPerPrincipal: 2 },
  })
  const [one] = await Promise.all([
    greet(hub, { token: 'alice' }),
    join(hub, { headers: bearer('alice') }),
  ])
  const third = await dial(hub)
  third.say('hello {"v":1,"subs":[],"token":"alice"}')
  await expect(third.closed).resolves.toEqual({ code: 4429, reason: 'connections' })
  expect(third.lines).toEqual(['bye {"code":4429,"retryAfterMs":5000}'])
  await expect(join(hub, { headers: bearer('alice') })).rejects.toThrow('429')
  await Promise.all([greet(hub, { token: 'bob' }), join(hub, { headers: bearer('bob') })])
  expect(hub.stats().refusedPerPrincipal).toBe(2)
  one.ws.terminate()
  await until(() => hub.stats().connections === 3, 'one is gone')
  await greet(hub, { token: 'alice' })
})

test('a connection that takes over its own session does not count as one more', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: byToken,
    limits: { connectionsPerPrincipal: 1 },
  })
  const first = await greet(hub, { token: 'alice', subs: [sub(1, '>')] })
  const { sid, epoch } = first.welcome
  const second = await greet(hub, { token: 'alice', sid, epoch, offset: 0, subs: [sub(1, '>')] })
  expect(second.welcome.resumed).toBe(true)
  await expect(first.closed).resolves.toMatchObject({ code: 4410 })
  // Another principal cannot do so with that session.
  const thief = await dial(hub)
  thief.say(`hello {"v":1,"subs":[],"token":"alice","sid":"${'x'.repeat(22)}"}`)
  await expect(thief.closed).resolves.toMatchObject({ code: 4429 })
})

test('those without credentials are no principal together', async () => {
  const hub = await startHub({ limits: { connectionsPerPrincipal: 1 } })
  await Promise.all([greet(hub), greet(hub), join(hub), join(hub)])
  expect(hub.stats()).toMatchObject({ connections: 4, refusedPerPrincipal: 0 })
})

test('a connection that does not authenticate in time no longer counts [F152]', async () => {
  const hub = await startHub({ helloMs: 50, limits: { connections: 5 } })
  const silent = await Promise.all(Array.from({ length: 5 }, () => dial(hub)))
  for (const client of silent) {
    await expect(client.closed).resolves.toEqual({ code: 4408, reason: 'hello' })
  }
  await until(() => hub.stats().connections === 0, 'all are gone')
  await greet(hub)
})

test('so many are authenticated at once, and the others after them [F153]', async () => {
  const waiting: (() => void)[] = []
  let most = 0
  const hub = await startHub({
    allowAnonymous: false,
    limits: { authentications: 3 },
    authenticate: async ({ token = '' }) => {
      await new Promise<void>((resolve) => {
        most = Math.max(most, waiting.push(resolve))
      })
      return { id: token }
    },
  })
  const dials = Array.from({ length: 20 }, (_, n) => statusOf(hub, `t${n}`))
  let served = 0
  while (served < 20) {
    await until(() => waiting.length === Math.min(3, 20 - served), 'a full house')
    waiting.shift()?.()
    served++
  }
  expect(await Promise.all(dials)).toEqual(Array.from({ length: 20 }, () => 101))
  expect(most).toBe(3)
})

test('two hundred at once without any option, and none waits for ever [F153]', async () => {
  let running = 0
  let most = 0
  const hub = await startHub({
    allowAnonymous: false,
    // Long enough for all of them to come before the first gives up.
    helloMs: 4_000,
    authenticate: async ({ signal }) => {
      most = Math.max(most, ++running)
      signal.addEventListener('abort', () => running--)
      await once(signal, 'abort')
      return null
    },
  })
  const dials = Array.from({ length: 230 }, () => statusOf(hub, 't'))
  expect(new Set(await Promise.all(dials))).toEqual(new Set([503]))
  expect(most).toBe(200)
})

test('a client that waits behind authentications that hang gets 503, and the next one is served [F153]', async () => {
  const errors: unknown[] = []
  const hub = await startHub({
    allowAnonymous: false,
    helloMs: 100,
    limits: { authentications: 1 },
    onError: (error) => errors.push(error),
    authenticate: ({ token = '' }) =>
      token.startsWith('hangs') ? new Promise<null>(() => {}) : { id: token },
  })
  const dials = Array.from({ length: 5 }, (_, n) => statusOf(hub, `hangs-${n}`))
  expect(await Promise.all(dials)).toEqual([503, 503, 503, 503, 503])
  expect(await statusOf(hub, 'next')).toBe(101)
  expect(errors).toEqual([])
})

test('a client that has left while it waited is not authenticated [F153]', async () => {
  const calls: (string | undefined)[] = []
  const answers: ((principal: Principal) => void)[] = []
  const hub = await startHub({
    allowAnonymous: false,
    limits: { authentications: 1 },
    authenticate: ({ token }) => {
      calls.push(token)
      return new Promise((resolve) => answers.push(resolve))
    },
  })
  const slow = await dial(hub)
  slow.say('hello {"v":1,"subs":[],"token":"slow"}')
  await until(() => calls.length === 1, 'the first')
  const hasty = await dial(hub)
  hasty.say('hello {"v":1,"subs":[],"token":"hasty"}')
  await hasty.settled()
  hasty.ws.terminate()
  await until(() => hub.stats().connections === 1, 'it is gone')
  const patient = await dial(hub)
  patient.say('hello {"v":1,"subs":[],"token":"patient"}')
  await patient.settled()
  answers.shift()?.({ id: 'slow' })
  await slow.line('welcome ')
  await until(() => calls.length === 2, 'the next')
  expect(calls).toEqual(['slow', 'patient'])
  answers.shift()?.({ id: 'patient' })
  await patient.line('welcome ')
})

test('a flood of fresh credentials is looked at one by one, and only the last counts [F153]', async () => {
  const calls: (string | undefined)[] = []
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: async ({ token }) => {
      calls.push(token)
      await new Promise((resolve) => setImmediate(resolve))
      return { id: 'alice' }
    },
  })
  const client = await greet(hub, { token: 't' })
  client.say(...Array.from({ length: 1_000 }, (_, n) => `auth {"token":"t${n}"}`))
  await until(() => calls.at(-1) === 't999', 'the last one')
  await client.settled()
  expect(calls).toEqual(['t', 't0', 't999'])
})
