import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { createEvent, type BusError } from '@bus/core'
import {
  channelDialect,
  collect,
  cut,
  only,
  record,
  transportTo,
  until,
} from '@bus/test-support/websocket'
import { FakeClock } from '@bus/testing'
import { busV1, type WebSocketTransportOptions } from '@bus/websocket'
import {
  Authentication,
  hmacAuth,
  tokenAuth,
  withAuth,
  type AuthHandler,
  type AuthState,
} from '../src/index.ts'
import { serveAuth } from './auth-server.ts'
import { describe, expect, test } from 'vitest'

const CANARY = 'canary-7f3a9c'
const success = { type: 'auth_success', expires_in: 3_600 }

type Options = Omit<WebSocketTransportOptions, 'url' | 'protocol'>

/** A client of channels that authenticates. */
function clientOf(server: { readonly url: string }, auth: AuthHandler, options: Options = {}) {
  const { clock } = options
  const protocol = withAuth(channelDialect(), auth, clock === undefined ? {} : { clock })
  return transportTo(server, { ...options, protocol })
}

describe('a client with a token', () => {
  test('shows it on each link, before the subscriptions are restored and the outbox goes', async () => {
    const server = await serveAuth(() => success)
    const transport = clientOf(server, tokenAuth({ token: 't1' }))
    const sent = transport.publish(createEvent('one', 1))
    await collect(transport, 'a', 'b')
    await sent
    await until(() => server.log.includes('event one'), 'it arrives')
    expect(server.log).toEqual(['auth t1', 'sub a b', 'event one'])
    server.log.length = 0
    await cut(server.channels.mock, transport)
    await transport.publish(createEvent('two', 2))
    await until(() => server.log.includes('event two'), 'it arrives')
    expect(server.log).toEqual(['auth t1', 'sub a b', 'event two'])
  })

  test('is renewed on the live link before the token ends, and its events go on', async () => {
    const server = await serveAuth(() => success)
    const clock = new FakeClock()
    let n = 0
    const states: AuthState[] = []
    const auth = tokenAuth({ token: () => `t${++n}`, onState: (state) => states.push(state) })
    const transport = clientOf(server, auth, { clock, heartbeat: false })
    const events = await collect(transport, 'a')
    clock.advance(3_539_999)
    server.channels.emit('a', 1)
    await until(() => events.events.length === 1, 'the event before')
    expect(server.shown).toHaveLength(1)
    clock.advance(1)
    await until(() => states.length === 2, 'renewed')
    server.channels.emit('a', 2)
    await until(() => events.events.length === 2, 'the event after')
    expect(server.log).toEqual(['auth t1', 'sub a', 'auth t2'])
    expect(states.map(({ status }) => status)).toEqual(['authenticated', 'authenticated'])
    expect(transport.stats().reconnects).toBe(0)
  })

  test('is told a token that ends sooner than the threshold, and renews at half of its life', async () => {
    const server = await serveAuth(() => ({ type: 'auth_success', expires_in: 40 }))
    const clock = new FakeClock()
    let accepted = 0
    const onState = ({ status }: AuthState): void => {
      if (status === 'authenticated') accepted++
    }
    const auth = tokenAuth({ token: 't1', onState })
    const transport = clientOf(server, auth, { clock, heartbeat: false })
    await transport.connect()
    for (const at of [20, 40, 60]) {
      clock.advance(20_000)
      // Before the answer has come there is no next renewal that the clock could bring.
      await until(() => accepted === at / 20 + 1, `renewed at ${at} s`)
    }
    expect(server.shown).toHaveLength(4)
    expect(transport.stats().reconnects).toBe(0)
  })

  test('that has ended meanwhile is asked for anew on the next link', async () => {
    const server = await serveAuth(({ token }) =>
      token === 'old' ? { type: 'auth_error', reason: 'expired' } : success,
    )
    const tokens = ['old', 'new']
    const auth = tokenAuth({ token: () => tokens.shift() ?? 'new' })
    const transport = clientOf(server, auth)
    await transport.connect({ retry: true })
    expect(server.log).toEqual(['auth old', 'auth new'])
  })

  test('renews on the same link when the server says, unasked, that it is out', async () => {
    const server = await serveAuth(() => success)
    const clock = new FakeClock()
    const transport = clientOf(server, tokenAuth({ token: 't1' }), { clock, heartbeat: false })
    const notices = record(transport)
    await transport.connect()
    server.channels.mock.inject({ type: 'auth_error', reason: 'expired' })
    await until(() => only(notices, 'error').length === 1, 'it is told')
    expect(only(notices, 'error')).toMatchObject([{ kind: 'auth', error: { code: 'auth' } }])
    expect(only(notices, 'undeliverable')).toEqual([])
    clock.advance(1_000)
    await until(() => server.shown.length === 2, 'renewed')
    expect(transport.stats().reconnects).toBe(0)
  })

  test('whose renewals fail until the token ends makes a new link, and authenticates there', async () => {
    const server = await serveAuth((_shown, { channels, shown }) => {
      const isGood = shown.length === 1 || channels.mock.connections.length > 1
      return isGood ? success : { type: 'auth_error', reason: 'try later' }
    })
    const clock = new FakeClock()
    const transport = clientOf(server, tokenAuth({ token: 't1' }), { clock, heartbeat: false })
    const notices = record(transport)
    await transport.connect()
    clock.advance(3_540_000)
    const isOver = (): boolean => only(notices, 'close').length > 0
    for (let n = 1; !isOver(); n++) {
      await until(() => only(notices, 'error').length >= n || isOver(), 'the refusal is told')
      if (!isOver()) clock.advance(15_000)
    }
    expect(only(notices, 'close')).toMatchObject([{ code: 4401, initiatedBy: 'local' }])
    await until(() => transport.status.state === 'backoff', 'the loss is seen')
    clock.advance(5)
    await until(() => transport.status.state === 'ready', 'a new link')
    expect(server.known.size).toBe(2)
  })

  test('uses the token that the server gives from then on', async () => {
    const server = await serveAuth(() => ({ ...success, token: 'issued' }))
    const transport = clientOf(server, tokenAuth({ token: 't1' }))
    await transport.connect()
    await cut(server.channels.mock, transport)
    await until(() => server.shown.length === 2, 'a new link')
    expect(server.shown.map(({ token }) => token)).toEqual(['t1', 'issued'])
  })
})

test('credentials that come after their link was given up disturb nobody', async () => {
  const server = await serveAuth(() => success)
  const late: ((token: string) => void)[] = []
  const token = (): string | Promise<string> => {
    if (late.length > 0) return 'good'
    return new Promise((resolve) => late.push(resolve))
  }
  const transport = clientOf(server, tokenAuth({ token }), { timeouts: { bootstrapMs: 50 } })
  await transport.connect({ retry: true })
  late[0]?.('late')
  await transport.publish(createEvent('a', 1))
  await until(() => server.log.includes('event a'), 'the event')
  expect(server.log).toEqual(['auth good', 'event a'])
})

describe('credentials that are refused', () => {
  test('end the transport at once where they never change', async () => {
    const server = await serveAuth(() => ({ type: 'auth_error', message: 'no such key' }))
    const transport = clientOf(server, tokenAuth({ token: 't1' }))
    const refused = await transport.connect({ retry: true }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'auth' })
    expect(transport.status.state).toBe('closed')
    expect(server.shown).toHaveLength(1)
  })

  test('end it with the second refusal in a row where fresh ones were got', async () => {
    const server = await serveAuth(() => ({ type: 'auth_error', message: 'no such key' }))
    let asked = 0
    const transport = clientOf(server, tokenAuth({ token: () => `t${++asked}` }))
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({ code: 'auth' })
    expect(server.shown.map(({ token }) => token)).toEqual(['t1', 't2'])
  })

  test('that are missing are an AuthError, and a source that fails is tried again', async () => {
    const server = await serveAuth(() => success)
    const none = clientOf(server, tokenAuth({ token: () => undefined as unknown as string }))
    await expect(none.connect({ retry: true })).rejects.toMatchObject({ code: 'auth' })
    let isDown = true
    const token = (): string => {
      if (!isDown) return 't1'
      isDown = false
      throw new Error('the issuer is down')
    }
    const transport = clientOf(server, tokenAuth({ token }))
    await expect(transport.connect()).rejects.toMatchObject({ code: 'bootstrap' })
    await until(() => transport.status.state === 'ready', 'the next attempt')
  })

  test('show no secret in any error, notice or print, though the server repeats it', async () => {
    const server = await serveAuth(() => ({ type: 'auth_error', reason: `not ${CANARY}\n!` }))
    for (const auth of [
      tokenAuth({ token: () => CANARY }),
      hmacAuth({ key: 'k', secret: CANARY }),
    ]) {
      const transport = clientOf(server, auth)
      const notices = record(transport)
      const error = (await transport
        .connect({ retry: true })
        .catch((thrown: unknown) => thrown)) as BusError
      const all = [error, error.cause, notices, transport.status, transport, auth]
      const text = all.map((value) => inspect(value, { depth: 10, showHidden: true })).join('\n')
      expect(text).not.toContain(CANARY)
      expect(text).toContain('not [redacted]')
    }
  })
})

describe('a client with key and secret', () => {
  test('signs anew on each link and for each renewal, so that the server can tell', async () => {
    const server = await serveAuth(({ api_key: key, timestamp, signature }) => {
      const expected = createHmac('sha256', 'my-secret').update(`${key}${timestamp}`).digest('hex')
      return signature === expected ? success : { type: 'auth_error', reason: 'bad signature' }
    })
    const clock = new FakeClock()
    const auth = hmacAuth({ key: 'my-key', secret: 'my-secret' })
    const transport = clientOf(server, auth, { clock, heartbeat: false })
    await transport.connect()
    clock.advance(3_540_000)
    await until(() => server.shown.length === 2, 'renewed')
    expect(server.known.size).toBe(1)
    const wrong = clientOf(server, hmacAuth({ key: 'my-key', secret: 'other' }))
    await expect(wrong.connect({ retry: true })).rejects.toMatchObject({ code: 'auth' })
  })
})

describe('authentication as part of a protocol', () => {
  test('tells how things stand, and renews by hand', async () => {
    const server = await serveAuth(() => success)
    const protocol = withAuth(channelDialect(), tokenAuth({ token: 't1' }))
    expect(protocol.authentication.state.status).toBe('none')
    await expect(protocol.authentication.renew()).rejects.toMatchObject({ code: 'disconnected' })
    const transport = transportTo(server, { protocol })
    await transport.connect()
    expect(protocol.authentication.state).toMatchObject({ status: 'authenticated' })
    expect(protocol.authentication.needsRenewal).toBe(false)
    await protocol.authentication.renew()
    expect(server.log).toEqual(['auth t1', 'auth t1'])
    await transport.close()
    expect(protocol.authentication.state.status).toBe('none')
  })

  test('is not shared by a clone', async () => {
    const server = await serveAuth(() => success)
    const protocol = withAuth(channelDialect(), tokenAuth({ token: 't1' }))
    const transport = transportTo(server, { protocol })
    await transport.connect()
    await using other = transport.clone()
    await other.connect()
    await other.close()
    expect(server.log).toEqual(['auth t1', 'auth t1'])
    expect(protocol.authentication.state.status).toBe('authenticated')
  })

  test('is for other servers where the protocol has a session with our hub', async () => {
    const server = await serveAuth(() => success)
    const protocol = withAuth(busV1({ fallback: channelDialect() }), tokenAuth({ token: 't1' }))
    await transportTo(server, { protocol }).connect()
    expect(server.log).toEqual(['auth t1'])
    expect(
      withAuth(busV1({ fallback: false }), tokenAuth({ token: 't1' })).fallback,
    ).toBeUndefined()
  })

  test('may be called by a dialect itself', async () => {
    const server = await serveAuth(() => success)
    const authentication = new Authentication(tokenAuth({ token: 't1' }))
    const protocol = {
      ...channelDialect(),
      authenticate: (link: Parameters<Authentication['authenticate']>[0]) =>
        authentication.authenticate(link),
    }
    await transportTo(server, { protocol }).connect()
    expect(authentication.state.status).toBe('authenticated')
  })
})

test('a client that is closed leaves no timer of its authentication', async () => {
  const server = await serveAuth(() => success)
  const clock = new FakeClock()
  const transport = clientOf(server, tokenAuth({ token: 't1' }), { clock, heartbeat: false })
  await transport.connect()
  expect(clock.pending).toBeGreaterThan(0)
  await transport.close()
  expect(clock.pending).toBe(0)
})
