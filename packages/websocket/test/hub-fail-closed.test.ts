/** What `authenticate` and `authorize` return that is not of the accepted form refuses, and a revocation meets who is on the way in. */
import { ConfigError } from '@bus/core'
import { expect, test, vi } from 'vitest'
import type { Authorize, Hub, HubOptions, Principal } from '../src/hub/index.ts'
import { until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { rawSocket, requestUpgrade } from './raw-peer.ts'
import { dial, greet, pub, sub } from './wire-client.ts'

const BEARER = { authorization: 'Bearer t' }

/** How the hub answers a handshake with a token. */
async function statusOf(hub: Hub, headers: readonly string[]): Promise<string> {
  const peer = await rawSocket(hub.port)
  requestUpgrade(peer, '/', ['Authorization: Bearer t', ...headers])
  await until(() => peer.received.includes('\r\n\r\n'), 'an answer')
  return peer.received.toString('latin1').split(' ')[1] ?? ''
}

test.each<[what: string, returned: unknown, message: RegExp]>([
  ['nothing', undefined, /a principal with an id, or null/],
  ['true', true, /a principal with an id, or null/],
  ['a list', [{ id: 'a' }], /a principal with an id, or null/],
  ['an id that is a number', { id: 7 }, /`id` is a string that is not empty, got `7`/],
  ['an empty id', { id: '' }, /`id` is a string that is not empty/],
  ['an expiry that is no number', { id: 'a', expiresAt: NaN }, /`expiresAt` .*got `NaN`/],
  ['an expiry that is a Date', { id: 'a', expiresAt: new Date() }, /`expiresAt`/],
  ['an expiry that is null', { id: 'a', expiresAt: null }, /`expiresAt`/],
])(
  'refuses a principal for the moment, on either wire, when authenticate returns %s',
  async (_what, returned, message) => {
    const errors: unknown[] = []
    let isAsync = false
    const hub = await startHub({
      authenticate: () => (isAsync ? Promise.resolve(returned) : returned) as Principal,
      onError: (error) => errors.push(error),
    })
    for (isAsync of [false, true]) {
      expect(await statusOf(hub, [])).toBe('503')
      expect(await statusOf(hub, ['Sec-WebSocket-Protocol: bus.v1'])).toBe('503')
      const client = await dial(hub)
      client.say('hello {"v":1,"subs":[],"token":"t"}')
      await expect(client.closed).resolves.toEqual({ code: 4503, reason: 'authentication' })
      expect(client.lines).toEqual([])
    }
    expect(errors).toHaveLength(6)
    for (const error of errors) {
      expect(error).toBeInstanceOf(ConfigError)
      expect((error as ConfigError).path).toBe('authenticate')
      expect((error as ConfigError).message).toMatch(message)
    }
    expect(hub.stats().busV1.callbackErrors).toBe(6)
    await until(() => hub.stats().connections === 0, 'every connection is gone')
  },
)

test.each<[what: string, returned: unknown, message: RegExp]>([
  ['grants that are null', { id: 't', grants: null }, /`grants` are an object, got `null`/],
  ['grants that are a list', { id: 't', grants: ['order.*'] }, /`grants` are an object/],
  ['grants that are a string', { id: 't', grants: 'order.*' }, /`grants` are an object/],
  ['a grant that is a string', { id: 't', grants: { publish: 'order.*' } }, /`grants\.publish`/],
  ['a grant that is null', { id: 't', grants: { subscribe: null } }, /`grants\.subscribe`/],
  ['a grant that is no pattern', { id: 't', grants: { publish: ['a.>.b'] } }, /`grants\.publish`/],
  ['a grant in a list', { id: 't', grants: { publish: [['a']] } }, /`grants\.publish`/],
  ['a misspelt grant', { id: 't', grants: { publsh: ['a'] } }, /`publish` and `subscribe` only/],
])('grants nothing when authenticate returns %s [F147]', async (_what, returned, message) => {
  const errors: unknown[] = []
  const hub = await startHub({
    authenticate: () => returned as Principal,
    onError: (error) => errors.push(error),
  })
  expect(await statusOf(hub, [])).toBe('403')
  const client = await greet(hub, { token: 't', subs: [sub(1, 'order.*')] })
  expect(client.welcome.subs).toEqual([{ id: 1, code: 'auth' }])
  client.say(pub(1, 'x'), 'sub 2 order.* alo')
  await client.settled()
  expect(client.lines.slice(1).toSorted()).toEqual(['no 1 auth', 'subno 2 auth'])
  expect(errors).toHaveLength(2)
  for (const error of errors) {
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).message).toMatch(message)
  }
})

test.each<[what: string, answer: () => unknown]>([
  ['nothing', () => undefined],
  ['null', () => null],
  ['1', () => 1],
  ['a word', () => 'yes'],
  ['an object', () => ({ allowed: true })],
  ['a promise of a word', () => Promise.resolve('yes')],
  ['a promise that rejects', () => Promise.reject(new Error('down'))],
])('refuses what authorize answers with %s, and reports it [F147]', async (_what, answer) => {
  const errors: unknown[] = []
  const hub = await startHub({
    authorize: (_principal, action, pattern) =>
      pattern === 'order.created' && action === 'publish' ? (answer() as boolean) : false,
    onError: (error) => errors.push(error),
  })
  const client = await greet(hub, {})
  client.say(pub(1, 'x'))
  expect(await client.line('no ')).toBe('no 1 auth')
  expect(hub.stats().busV1).toMatchObject({ published: 0, callbackErrors: 1 })
  expect(errors).toHaveLength(1)
  const other = await startHub({
    authorize: (() => answer()) as Authorize,
    onError: (error) => errors.push(error),
  })
  const reader = await greet(other, { subs: [sub(1, '>')] })
  expect(reader.welcome.subs).toEqual([{ id: 1, code: 'auth' }])
  reader.say('sub 2 order.* alo')
  expect(await reader.line('subno ')).toBe('subno 2 auth')
  expect(errors).toHaveLength(3)
})

test('refuses, and goes on, when onError throws', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
  const hub = await startHub({
    authorize: () => {
      throw new Error('down')
    },
    onError: () => {
      throw new Error('the error log is full')
    },
  })
  const client = await greet(hub, {})
  client.say(pub(1, 'x'))
  expect(await client.line('no ')).toBe('no 1 auth')
  expect(warn.mock.calls).toEqual([[new Error('the error log is full')]])
  warn.mockRestore()
})

/** A hub whose `authenticate` answers when it is let. */
async function slowHub(options: HubOptions = {}): Promise<{
  readonly hub: Hub
  readonly isAsked: () => boolean
  readonly answer: () => void
}> {
  let answer: (() => void) | undefined
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token: id = '' }) =>
      new Promise<Principal>((resolve) => {
        answer = () => resolve({ id })
      }),
    ...options,
  })
  return { hub, isAsked: () => answer !== undefined, answer: () => answer?.() }
}

test.each([
  ['bus.v1', ['Sec-WebSocket-Protocol: bus.v1']],
  ['the plain wire', []],
])(
  'refuses who was revoked while its handshake on %s was authenticated [F146]',
  async (_wire, headers) => {
    const { hub, isAsked, answer } = await slowHub()
    const status = statusOf(hub, headers)
    await until(isAsked, 'authenticate is called')
    hub.revoke('someone')
    hub.revoke('t')
    answer()
    expect(await status).toBe('401')
    expect(hub.stats()).toMatchObject({ connections: 0, busV1: { unauthorized: 1 } })
  },
)

test('refuses who was revoked while its hello was authenticated [F146]', async () => {
  const { hub, isAsked, answer } = await slowHub()
  const client = await dial(hub)
  client.say('hello {"v":1,"subs":[{"id":1,"pattern":">","mode":"alo"}],"token":"t"}')
  await until(isAsked, 'authenticate is called')
  hub.revoke('t')
  answer()
  await expect(client.closed).resolves.toEqual({ code: 4401, reason: 'unauthorized' })
  expect(client.lines).toEqual([])
  expect(hub.stats().busV1.sessions).toBe(0)
})

test('closes who was revoked between its handshake and its hello [F146]', async () => {
  const hub = await startHub({ authenticate: ({ token: id = '' }) => ({ id }) })
  const client = await dial(hub, BEARER)
  hub.revoke('t')
  client.say('hello {"v":1,"subs":[]}', pub(1, 'x'))
  await expect(client.closed).resolves.toEqual({ code: 4403, reason: 'revoked' })
  expect(client.lines).toEqual([])
  expect(hub.stats().busV1).toMatchObject({ published: 0, sessions: 0 })
})

test('lets in who was revoked before, when authenticate does', async () => {
  const { hub, isAsked, answer } = await slowHub()
  hub.revoke('t')
  const status = statusOf(hub, [])
  await until(isAsked, 'authenticate is called')
  hub.revoke('another')
  answer()
  expect(await status).toBe('101')
})
