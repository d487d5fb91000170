import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createHub, type Principal } from '../src/hub/index.ts'
import { until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { dial, greet, pub, sub } from './wire-client.ts'

const people: Readonly<Record<string, Principal>> = {
  'token-alice': { id: 'alice' },
  'token-shop': {
    id: 'shop',
    grants: { publish: ['order.*', 'audit.>'], subscribe: ['order.*', 'user.created'] },
  },
}

const authenticate = ({ token }: { readonly token: string | undefined }): Principal | null =>
  people[token ?? ''] ?? null

/** The status with which a handshake is refused. */
async function statusOf(
  url: string,
  headers: Record<string, string> = {},
  protocols = ['bus.v1'],
): Promise<number | 'open'> {
  const ws = new WebSocket(url, protocols, { perMessageDeflate: false, headers })
  ws.on('error', () => {})
  const status = await Promise.race([
    once(ws, 'unexpected-response').then(
      ([, response]) => (response as { statusCode: number }).statusCode,
    ),
    once(ws, 'open').then(() => 'open' as const),
  ])
  ws.terminate()
  return status
}

test('is not open by accident [F140]', async () => {
  await expect(createHub({})).rejects.toMatchObject({ code: 'config', path: 'authenticate' })
  await expect(createHub({ allowAnonymous: false })).rejects.toMatchObject({
    path: 'authenticate',
  })
})

test('requires credentials with the first line, and ends a link without any with 4401', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate })
  await greet(hub, { token: 'token-alice' })
  for (const token of [undefined, 'token-bob']) {
    const client = await dial(hub)
    client.say(JSON.stringify({ v: 1, subs: [], token }).replace(/^/, 'hello '))
    await expect(client.closed).resolves.toEqual({ code: 4401, reason: 'unauthorized' })
    expect(client.lines).toEqual([])
  }
  expect(hub.stats().busV1.unauthorized).toBe(2)
})

test('takes a bearer token of the handshake, and refuses a bad one there with 401', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate })
  await greet(hub, {}, { authorization: 'Bearer token-alice' })
  expect(await statusOf(hub.url, { authorization: 'Bearer token-bob' })).toBe(401)
})

test('shows the handshake to authenticate, for its cookie or its certificate', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ request }) => (request.headers.cookie === 'a=1' ? { id: 'cookie' } : null),
  })
  const client = await greet(hub, {}, { cookie: 'a=1' })
  expect(client.welcome.resumed).toBe(false)
})

test('a client with bad credentials is not anonymous, one without any is where that is allowed', async () => {
  const hub = await startHub({ allowAnonymous: true, authenticate })
  await greet(hub)
  const client = await dial(hub)
  client.say('hello {"v":1,"subs":[],"token":"token-bob"}')
  await expect(client.closed).resolves.toMatchObject({ code: 4401 })
  expect(await statusOf(hub.url, { authorization: 'Bearer x' }, [])).toBe(401)
  expect(await statusOf(hub.url, {}, [])).toBe('open')
})

test('plain clients need credentials in the handshake', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate })
  expect(await statusOf(hub.url, {}, [])).toBe(401)
  await join(hub, { headers: { authorization: 'Bearer token-alice' } })
})

test('plain clients with limited permissions are refused, because their wire knows no limits', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate })
  expect(await statusOf(hub.url, { authorization: 'Bearer token-shop' }, [])).toBe(403)
  const strict = await startHub({ authorize: () => true })
  expect(await statusOf(strict.url, {}, [])).toBe(403)
})

test.each([
  [
    'throws',
    () => {
      throw new Error('down')
    },
  ],
  ['rejects', () => Promise.reject(new Error('down'))],
  ['returns rubbish', () => ({ name: 'alice' }) as unknown as Principal],
  ['returns an empty id', () => ({ id: '' })],
  ['returns true', () => true as unknown as Principal],
])(
  'refuses every client when authenticate %s, and reports it to the application',
  async (_, broken) => {
    const errors: unknown[] = []
    const hub = await startHub({
      allowAnonymous: false,
      authenticate: broken,
      onError: (error) => errors.push(error),
    })
    const client = await dial(hub)
    client.say('hello {"v":1,"subs":[],"token":"t"}')
    await expect(client.closed).resolves.toEqual({ code: 4503, reason: 'authentication' })
    expect(await statusOf(hub.url, { authorization: 'Bearer t' })).toBe(503)
    expect(errors).toHaveLength(2)
    expect(hub.stats().busV1.callbackErrors).toBe(2)
  },
)

test('helloMs: a link that says nothing for so long is ended with 4408', async () => {
  const hub = await startHub({ helloMs: 30 })
  const client = await dial(hub)
  await expect(client.closed).resolves.toEqual({ code: 4408, reason: 'hello' })
})

test('helloMs: an authentication that takes longer is given up', async () => {
  const hub = await startHub({
    helloMs: 30,
    allowAnonymous: false,
    authenticate: () => new Promise<null>(() => {}),
  })
  const client = await dial(hub)
  client.say('hello {"v":1,"subs":[],"token":"t"}')
  await expect(client.closed).resolves.toMatchObject({ code: 4408 })
  expect(await statusOf(hub.url, { authorization: 'Bearer t' })).toBe(503)
})

test('nothing is taken before the credentials were looked at', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate })
  const client = await dial(hub)
  client.say('hello {"v":1,"subs":[],"token":"token-alice"}', pub(1, 1))
  await expect(client.closed).resolves.toEqual({ code: 4400, reason: 'pub early' })
  expect(hub.stats().busV1.published).toBe(0)
})

test('a principal publishes and subscribes within its grants only [F147]', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate })
  const shop = await greet(hub, {
    token: 'token-shop',
    subs: [sub(1, 'order.*'), sub(2, 'order.>'), sub(3, '>'), sub(4, 'user.created')],
  })
  expect(shop.welcome.subs).toEqual([
    { id: 1, offset: 0 },
    { id: 2, code: 'auth' },
    { id: 3, code: 'auth' },
    { id: 4, offset: 0 },
  ])
  shop.say('sub 5 *.* alo', 'sub 6 order.paid alo')
  await shop.line('subok 6')
  expect(shop.heard('subno')).toEqual(['5 auth'])
  shop.say(
    pub(1, 1, 'order.a'),
    pub(2, 2, 'order.a.b'),
    pub(3, 3, 'user.created'),
    pub(4, 4, 'audit.a.b'),
  )
  await shop.line('ok 4')
  expect(shop.heard('no')).toEqual(['2 auth', '3 auth'])
  const alice = await greet(hub, { token: 'token-alice' })
  alice.say(pub(1, 'a', 'order.a.b'), pub(2, 'b', 'secret'), pub(3, 'c', 'user.created'))
  await shop.events(2)
  await shop.settled()
  expect(shop.payloads).toEqual([1, 'c'])
})

test('authorize decides beyond the grants, and a failure of it is a no', async () => {
  const calls: string[] = []
  const errors: unknown[] = []
  const hub = await startHub({
    authorize: ({ id }, action, pattern) => {
      calls.push(`${id} ${action} ${pattern}`)
      if (pattern === 'c') throw new Error('broken')
      return pattern !== 'b'
    },
    onError: (error) => errors.push(error),
  })
  const client = await greet(hub, { subs: [sub(1, 'a'), sub(2, 'b'), sub(3, 'c')] })
  expect(client.welcome.subs.map(({ code }) => code)).toEqual([undefined, 'auth', 'auth'])
  client.say(pub(1, 1, 'a'), pub(2, 2, 'b'), pub(3, 3, 'a'))
  await client.line('ok 3')
  expect(client.heard('no')).toEqual(['2 auth'])
  expect(calls).toContain('anonymous subscribe b')
  expect(calls.filter((question) => question === 'anonymous publish a')).toHaveLength(1)
  expect(errors).toHaveLength(1)
})

test('permissions are looked at again when a session resumes [F146]', async () => {
  let grants: readonly string[] = ['a', 'b']
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: () => ({ id: 'x', grants: { subscribe: grants } }),
  })
  const first = await greet(hub, { subs: [sub(1, 'a'), sub(2, 'b')] })
  const { sid, epoch } = first.welcome
  grants = ['a']
  const second = await greet(hub, { sid, epoch, offset: 0, subs: [sub(1, 'a'), sub(2, 'b')] })
  expect(second.welcome).toMatchObject({
    resumed: true,
    subs: [
      { id: 1, offset: 0 },
      { id: 2, code: 'auth' },
    ],
  })
  second.say(pub(1, 1, 'b'), pub(2, 2, 'a'))
  await second.events(1)
  await second.settled()
  expect(second.payloads).toEqual([2])
})

test('revoke ends the sessions of a principal, connected or not, and their connections with 4403 [F146]', async () => {
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token }) => ({ id: token ?? '-' }),
  })
  const [here, away, other] = await Promise.all(
    ['eve', 'eve', 'bob'].map((token) => greet(hub, { token, subs: [sub(1, '>')] })),
  )
  away?.ws.terminate()
  await until(() => hub.stats().connections === 2, 'one is away')
  expect(hub.revoke('eve')).toBe(2)
  await expect(here?.closed).resolves.toEqual({ code: 4403, reason: 'revoked' })
  expect(hub.revoke('eve')).toBe(0)
  const again = await greet(hub, {
    token: 'eve',
    sid: away?.welcome.sid,
    epoch: away?.welcome.epoch,
  })
  expect(again.welcome.resumed).toBe(false)
  expect(other?.ws.readyState).toBe(WebSocket.OPEN)
})

test('revoke closes the connections on the plain wire as well [F146]', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate })
  const plain = await join(hub, { headers: { authorization: 'Bearer token-alice' } })
  expect(hub.revoke('alice')).toBe(0)
  await expect(plain.closed).resolves.toEqual({ code: 4403, reason: 'revoked' })
})

test('credentials that end are ended with 4401 unless fresh ones come [F144]', async () => {
  let expiresAt = Date.now() - 28_500
  const hub = await startHub({
    allowAnonymous: false,
    holdMs: 40,
    authenticate: ({ token }) => ({ id: token ?? '-', expiresAt }),
  })
  const [careless, careful] = await Promise.all([
    greet(hub, { token: 'a' }),
    greet(hub, { token: 'b' }),
  ])
  expiresAt = Infinity
  careful.say('auth {"token":"b"}')
  await expect(careless.closed).resolves.toEqual({ code: 4401, reason: 'expired' })
  await careful.settled()
  expect(careful.ws.readyState).toBe(WebSocket.OPEN)
})

test('fresh credentials must be of the same principal, and good', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate })
  const [other, bad] = await Promise.all([
    greet(hub, { token: 'token-alice' }),
    greet(hub, { token: 'token-alice' }),
  ])
  other.say('auth {"token":"token-shop"}')
  await expect(other.closed).resolves.toEqual({ code: 4403, reason: 'another principal' })
  bad.say('auth {"token":"token-bob"}')
  await expect(bad.closed).resolves.toEqual({ code: 4401, reason: 'unauthorized' })
})

test('fresh credentials are looked at together with the handshake', async () => {
  const seen: unknown[] = []
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ request, token }) => {
      seen.push([request.headers.cookie, token])
      return { id: 'x' }
    },
  })
  const client = await greet(hub, {}, { cookie: 'a=1' })
  client.say('auth {"token":"t"}')
  await until(() => seen.length === 2, 'both credentials')
  expect(seen).toEqual([
    ['a=1', undefined],
    ['a=1', 't'],
  ])
})

test('fresh credentials change nothing where every client is anonymous, and permissions are looked up again', async () => {
  let isAllowed = true
  const hub = await startHub({ authorize: () => isAllowed })
  const client = await greet(hub, { subs: [sub(1, 'a')] })
  client.say('auth {"token":"t"}')
  await client.settled()
  expect(client.ws.readyState).toBe(WebSocket.OPEN)
  isAllowed = false
  client.say('auth {"token":"t"}')
  await expect(client.closed).resolves.toEqual({ code: 4403, reason: 'subscription' })
})

test('fresh credentials that no longer allow a subscription end the link with 4403 [F146]', async () => {
  let subscribe: readonly string[] = ['a']
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: () => ({ id: 'x', grants: { subscribe } }),
  })
  const client = await greet(hub, { subs: [sub(1, 'a')] })
  subscribe = []
  client.say('auth {"token":"t"}')
  await expect(client.closed).resolves.toEqual({ code: 4403, reason: 'subscription' })
})

test.each([
  'https://shop.example.evil.example',
  'https://evilshop.example',
  'https://sub.shop.example',
  'http://shop.example',
  'https://shop.example:443',
  'https://shop.example:8443',
  'https://shop.example/',
  'https://SHOP.example',
  'https://shop.example.',
  'https://shop.example@evil.example',
  'https://xn--shp-hoa.example',
  'null',
  'file://',
  '*',
  '',
])('origins: refuses the origin %s with 403 [F141]', async (origin) => {
  const hub = await startHub({ origins: ['https://shop.example'] })
  expect(await statusOf(hub.url, { origin })).toBe(403)
})

test('origins: lets in exactly those of the list, and who is no browser [F141]', async () => {
  const hub = await startHub({ origins: ['https://shop.example', 'http://localhost:3000'] })
  for (const origin of ['https://shop.example', 'http://localhost:3000']) {
    expect(await statusOf(hub.url, { origin })).toBe('open')
  }
  expect(await statusOf(hub.url)).toBe('open')
  const closed = await startHub()
  expect(await statusOf(closed.url, { origin: 'https://shop.example' })).toBe(403)
})

test('hosts: refuses another name, as after DNS rebinding [F142]', async () => {
  const hub = await startHub({ hosts: ['bus.example'] })
  expect(await statusOf(hub.url)).toBe(403)
  expect(await statusOf(hub.url, { host: 'bus.example' })).toBe('open')
})

test.each(['token', 'access_token', 'Authorization', 'api_key', 'sessionId', 'a=1&jwt'])(
  'refuses a query with %s with 400, because queries end up in logs [F143]',
  async (name) => {
    const hub = await startHub()
    expect(await statusOf(`${hub.url}/?${name}=canary`)).toBe(400)
    expect(await statusOf(`${hub.url}/?client=canary`)).toBe('open')
  },
)

test('limits.connections: one more is refused with 503 [F152]', async () => {
  const hub = await startHub({ limits: { connections: 2 } })
  await Promise.all([greet(hub), join(hub)])
  expect(await statusOf(hub.url)).toBe(503)
})

test.each([
  ['authenticate', { authenticate: 'x' }],
  ['allowAnonymous', { allowAnonymous: 1 }],
  ['authorize', { authorize: {} }],
  ['origins', { origins: 'https://shop.example' }],
  ['hosts[0]', { hosts: [''] }],
  ['limits.maxEventBytes', { limits: { maxEventBytes: 0 } }],
  ['limits.connections', { limits: { connections: 1.5 } }],
  ['limits.connectionsPerIp', { limits: { connectionsPerIp: 0 } }],
  ['limits.sessions', { limits: { sessions: Infinity } }],
  ['limits.subscriptionsPerConnection', { limits: { subscriptionsPerConnection: -1 } }],
  ['limits.subscriptions', { limits: { subscriptions: Infinity } }],
  ['limits.heldBytes', { limits: { heldBytes: 0.5 } }],
  ['limits.publishPerSecond', { limits: { publishPerSecond: 0 } }],
  ['limits.window.events', { limits: { window: { events: 0 } } }],
  ['limits.window.bytes', { limits: { window: { bytes: '1' } } }],
  ['log.maxEvents', { log: { maxEvents: 0 } }],
  ['log.maxBytes', { log: { maxBytes: Number.NaN } }],
  ['log.maxAgeMs', { log: { maxAgeMs: 0 } }],
  ['confirm', { confirm: 'all' }],
  ['sessionTtlMs', { sessionTtlMs: -1 }],
  ['holdMs', { holdMs: Infinity }],
  ['graceMs', { graceMs: null }],
  ['heartbeatMs', { heartbeatMs: 0 }],
  ['helloMs', { helloMs: 0 }],
  ['onError', { onError: console }],
])('refuses a wrong %s by name', async (path, options) => {
  await expect(createHub({ allowAnonymous: true, ...(options as object) })).rejects.toMatchObject({
    code: 'config',
    path,
  })
})
